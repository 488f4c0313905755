/**
 * Answers as they come from workers. One is passed on only after its signature, its length and its digest have been checked and
 * its output is at hand; whatever fails is `corrupted`, which is tried again and held against nobody.
 */
import type { Delivery, DispatchState, Stake } from '@shardy/dispatch'
import type { Digest } from '@shardy/protocol'
import {
  type Attestation,
  attestedPayload,
  type BatchResult,
  type DeliveryId,
  decodeHex,
  encodeHex,
  merkleTree,
  type ProvenBlock,
  type PublicKey,
  type RequesterId,
  type Result,
  type Results,
  resultStatement,
  type Sha256,
  signedBatch,
  statementLeaf,
  type WantedProof,
  type WorkerId,
  type ZkProofPayload,
} from '@shardy/protocol'
import type { Log } from '../log.ts'
import { type AuditEnd, type Audits, createAudits } from '../proofs/audits.ts'
import { type ProofFlaw, type ProofOfAnswer, type Proofs, proofOutOfPlace } from '../proofs/proofs.ts'
import type { Happening, Posted } from '../tasks/dispatcher.ts'
import type { Answer, Payloads } from '../tasks/payloads.ts'
import { answerBytes, isInline } from '../tasks/payloads.ts'
import type { FloatFlaw } from './floatForm.ts'
import type { Verify } from './handshake.ts'
import { describe, returnsOutput } from './outgoing.ts'

export interface IncomingParts {
  readonly sha256: Sha256
  readonly verify: Verify
  readonly payloads: Payloads
  readonly proofs: Proofs
  readonly log: Log
  /** What is wrong with the form of a float output. */
  readonly floatFlaw: FloatFlaw
  state(): DispatchState
  /** What a delivery was asked to be proven with. */
  asked(delivery: Delivery): WantedProof | undefined
  stake(workerId: WorkerId): Stake
  /** All that a frame of a worker's says. */
  postAll(workerId: WorkerId, happenings: readonly Happening[]): Posted
  storeOutput(digest: Digest, bytes: Uint8Array, owner: RequesterId): Promise<void>
  /** So many bytes that nobody can foresee. */
  random(length: number): Uint8Array
  send(workerId: WorkerId, frame: Uint8Array): void
}

const tooMany = 'too many answers wait to be checked'

/** In words; of a proof that nobody could judge, that this is by our own doing. */
type Flaw = string | ProofFlaw

/** An answer whose proof is to be judged, and what is wrong with it. */
interface Proven {
  readonly delivery: Delivery
  readonly outputDigest: Digest
  readonly proof: ZkProofPayload | undefined
  flaw: Flaw | undefined
}

/** One of a frame of answers. */
interface Given extends Proven {
  readonly index: number
  readonly result: BatchResult
}

export interface Incoming {
  /** A result in frames of its own, with its raw frame when it announced one. */
  answered(workerId: WorkerId, key: PublicKey, result: Result, raw: Uint8Array | undefined): Promise<void>
  /** Many small ones. Resolves when what was passed on has been decided. */
  batchAnswered(workerId: WorkerId, key: PublicKey, results: Results): Promise<void>
  /** Of answers that count only once a block was proven. */
  readonly audits: Audits
}

export function createIncoming(parts: IncomingParts): Incoming {
  const { sha256, payloads, proofs, floatFlaw, log } = parts
  const digestOf = (bytes: Uint8Array): string => encodeHex(sha256(bytes))
  /** Whose answers wait for their proofs to be verified: what comes for one of them meanwhile is a second answer. */
  const proving = new Set<DeliveryId>()
  const { blocks } = proofs
  const { random, send } = parts
  const audits = createAudits({ sha256, blocks, payloads, log, random, send })

  /**
   * An open delivery that is this worker's and not answered yet. One answer of a delivery is held, the first: what is checked and
   * kept must be what dispatch decides on, and the next one may be another.
   */
  function openDelivery(workerId: WorkerId, deliveryId: DeliveryId): Delivery | undefined {
    const delivery = unsettled(workerId, deliveryId)
    const isAnswered = payloads.answer(deliveryId) !== undefined || proving.has(deliveryId)
    return isAnswered || audits.has(deliveryId) ? undefined : delivery
  }

  /** That, or one whose answer is held and not passed on yet. */
  function unsettled(workerId: WorkerId, deliveryId: DeliveryId): Delivery | undefined {
    const delivery = parts.state().deliveries.get(deliveryId)
    return delivery?.workerId === workerId && delivery.state !== 'answered' ? delivery : undefined
  }

  function leafOf(delivery: Delivery, result: Pick<Result, 'outputDigest' | 'traceRoot'>): Uint8Array {
    const { programId } = delivery.task.spec
    return statementLeaf(resultStatement(describe(delivery), programId, delivery.workerId, result), sha256)
  }

  /** What is said of an answer, which is held from here on; undefined when it is not this worker's to give any more. */
  function saidOf(
    delivery: Delivery,
    result: Pick<BatchResult, 'outputDigest' | 'traceRoot' | 'salt' | 'proof'>,
    attestation: Attestation,
    answer: Answer | undefined,
  ): Happening | undefined {
    const { workerId, deliveryId } = delivery
    // Its signature was verified and its output stored meanwhile: it may have been settled, and nobody would let go of the answer.
    if (openDelivery(workerId, deliveryId) === undefined) return undefined
    if (answer !== undefined && !payloads.holdAnswer(deliveryId, answer)) {
      return corrupted(delivery, tooMany)
    }
    return happened(delivery, result, attestation)
  }

  function happened(
    { workerId, deliveryId }: Delivery,
    {
      outputDigest,
      traceRoot,
      salt,
      proof,
    }: Pick<BatchResult, 'outputDigest' | 'traceRoot' | 'salt' | 'proof'>,
    attestation: Attestation,
    block?: ProvenBlock,
  ): Happening {
    const stake = parts.stake(workerId)
    return {
      kind: 'answered',
      workerId,
      deliveryId,
      outputDigest,
      traceRoot,
      salt,
      attestation,
      proof,
      block,
      stake,
    }
  }

  /** In their order. Of what came too late, or could not be taken, nobody will ask for what was sent with it. */
  async function passOn(workerId: WorkerId, said: readonly Happening[]): Promise<void> {
    const { taken, decided } = parts.postAll(workerId, said)
    const answered = said.map((each) => (each.kind === 'answered' ? each.deliveryId : undefined))
    for (const deliveryId of answered.slice(taken))
      if (deliveryId !== undefined) payloads.dropAnswer(deliveryId)
    await decided
    const { deliveries, audits } = parts.state()
    for (const deliveryId of answered.slice(0, taken)) {
      if (deliveryId === undefined || deliveries.has(deliveryId) || audits.has(deliveryId)) continue
      payloads.dropAnswer(deliveryId)
    }
  }

  function corrupted({ workerId, deliveryId }: Delivery, flaw: Flaw): Happening {
    if (typeof flaw === 'string') return { kind: 'corrupted', workerId, deliveryId, detail: flaw }
    const { kind, detail } = flaw
    // What could not be judged costs its task no attempt and its worker nothing.
    return { kind: kind === 'unjudged' ? 'unsent' : 'corrupted', workerId, deliveryId, detail }
  }

  async function batchAnswered(
    workerId: WorkerId,
    key: PublicKey,
    { results, signature }: Results,
  ): Promise<void> {
    const { root, paths } = merkleTree(
      results.map(({ leaf }) => decodeHex(leaf) as Uint8Array),
      sha256,
    )
    const count = results.length
    if (!(await parts.verify(key, signedBatch(root, count), signature))) {
      const open = results.flatMap(({ deliveryId }) => openDelivery(workerId, deliveryId) ?? [])
      return passOn(
        workerId,
        open.map((delivery) => corrupted(delivery, 'the answer is not signed by the worker')),
      )
    }
    /** Paths share most of what is on them. */
    const known = new Map<Uint8Array, string>()
    const hexOf = (hash: Uint8Array): string => {
      const hex = known.get(hash) ?? encodeHex(hash)
      known.set(hash, hex)
      return hex
    }
    const given: Given[] = []
    for (const [index, result] of results.entries()) {
      // Late or foreign: dispatch knows nothing to change.
      const delivery = openDelivery(workerId, result.deliveryId)
      if (delivery === undefined) continue
      const { outputDigest, proof } = result
      given.push({ index, result, delivery, outputDigest, proof, flaw: flawOf(delivery, result) })
    }
    await judgeProofs(workerId, given)
    const said: Happening[] = []
    for (const { index, result, delivery, flaw } of given) {
      const path = (paths[index] ?? []).map(hexOf)
      const answer = result.output && { output: result.output, transcript: [] }
      const each =
        flaw === undefined
          ? saidOf(delivery, result, { signature, index, count, path }, answer)
          : corrupted(delivery, flaw)
      if (each !== undefined) said.push(each)
    }
    await passOn(workerId, said)
  }

  /** Verifies, all together, the proofs of what has no other flaw. What is left without a flaw has the proof that it owes. */
  async function judgeProofs(workerId: WorkerId, given: readonly Proven[]): Promise<void> {
    const owed: Proven[] = []
    const items: ProofOfAnswer[] = []
    for (const each of given) {
      if (each.flaw !== undefined) continue
      const { delivery, outputDigest, proof } = each
      const { taskId, seed, outputLength } = delivery.task.spec
      each.flaw = proofOutOfPlace(delivery.task.spec.proof, parts.asked(delivery), proof)
      if (each.flaw !== undefined || proof === undefined) continue
      owed.push(each)
      items.push({ proof, answer: { taskId, seed, outputLength, outputDigest } })
    }
    if (owed.length === 0) return
    for (const { delivery } of owed) proving.add(delivery.deliveryId)
    try {
      const flaws = await proofs.verify(workerId, items)
      for (const [index, each] of owed.entries()) each.flaw = flaws[index]
    } finally {
      for (const { delivery } of owed) proving.delete(delivery.deliveryId)
    }
  }

  function flawOf(delivery: Delivery, result: BatchResult): string | undefined {
    const { output, outputDigest, leaf } = result
    const { spec } = delivery.task
    if (spec.proof === 'v3') return 'an answer that is audited comes by itself'
    if (encodeHex(leafOf(delivery, result)) !== leaf) return 'the signature covers another answer'
    if (output === undefined) return returnsOutput(delivery.task) ? 'the output is missing' : undefined
    if (output.length !== spec.outputLength) {
      return `the output has ${output.length} bytes, the program gives ${spec.outputLength}`
    }
    return digestOf(output) === outputDigest
      ? floatFlaw(spec, output)
      : 'the output does not match its digest'
  }

  async function answered(
    workerId: WorkerId,
    key: PublicKey,
    result: Result,
    raw: Uint8Array | undefined,
  ): Promise<void> {
    const delivery = openDelivery(workerId, result.deliveryId)
    if (delivery === undefined) return
    const read = readAnswer(delivery, result, raw)
    const flaw = typeof read === 'string' ? read : await signatureFlaw(delivery, key, result)
    const { outputDigest, proof } = result
    const given: Proven = { delivery, outputDigest, proof, flaw }
    await judgeProofs(workerId, [given])
    if (given.flaw !== undefined) return passOn(workerId, [corrupted(delivery, given.flaw)])
    const answer = typeof read === 'string' ? undefined : read
    if (delivery.task.spec.proof === 'v3') return audit(delivery, result, answer)
    const unstored = await store(delivery, outputDigest, answer)
    if (unstored !== undefined) return passOn(workerId, [corrupted(delivery, unstored)])
    const said = saidOf(delivery, result, result.attestation, answer)
    if (said !== undefined) await passOn(workerId, [said])
  }

  /** What went wrong, where it is to be stored. */
  async function store(
    { deliveryId, task }: Delivery,
    outputDigest: Digest,
    answer: Answer | undefined,
  ): Promise<string | undefined> {
    const { spec } = task
    if (answer === undefined || !spec.keepOutput || isInline(spec.outputLength)) return undefined
    try {
      await parts.storeOutput(outputDigest, answer.output, spec.requesterId)
      return undefined
    } catch (error) {
      log.error('outputNotStored', error, { deliveryId })
      return 'the output could not be stored'
    }
  }

  /** Holds the answer, and has a block of it proven before anybody hears of it. */
  async function audit(delivery: Delivery, result: Result, answer: Answer | undefined): Promise<void> {
    const { workerId, deliveryId } = delivery
    const wanted = parts.asked(delivery)
    if (answer === undefined || wanted === undefined)
      throw new Error(`delivery ${deliveryId} is audited without an output or a key`)
    // Its signature was verified meanwhile.
    if (openDelivery(workerId, deliveryId) === undefined) return
    if (!payloads.holdAnswer(deliveryId, answer)) return passOn(workerId, [corrupted(delivery, tooMany)])
    const { outputDigest } = result
    const begun = { delivery, outputDigest, bytes: answerBytes(answer), wanted }
    const flaw = audits.begin(begun, (end) => audited(delivery, result, end))
    if (flaw !== undefined) await audited(delivery, result, flaw)
  }

  async function audited(delivery: Delivery, result: Result, end: AuditEnd): Promise<void> {
    const { workerId, deliveryId } = delivery
    const answer = payloads.answer(deliveryId)
    const flaw = end.kind === 'held' ? await store(delivery, result.outputDigest, answer) : end
    if (flaw !== undefined || unsettled(workerId, deliveryId) === undefined) payloads.dropAnswer(deliveryId)
    if (unsettled(workerId, deliveryId) === undefined) return
    if (flaw !== undefined) return passOn(workerId, [corrupted(delivery, flaw)])
    if (end.kind !== 'held') return
    const proven = { ...result, proof: end.proof }
    await passOn(workerId, [happened(delivery, proven, result.attestation, end.block)])
  }

  /** The answer's bytes, undefined where none are wanted, or what is wrong with them. */
  function readAnswer(
    delivery: Delivery,
    result: Result,
    raw: Uint8Array | undefined,
  ): Answer | undefined | string {
    const { outputLength } = delivery.task.spec
    const { outputIncluded, partLengths } = result
    if (result.outputLength !== outputLength) {
      return `the output has ${result.outputLength} bytes, the program gives ${outputLength}`
    }
    if (outputIncluded !== returnsOutput(delivery.task)) {
      return outputIncluded ? 'the output was not asked for' : 'the output is missing'
    }
    if (!outputIncluded) return undefined
    const expected = partLengths.reduce((sum, length) => sum + length, outputLength)
    if (raw?.length !== expected)
      return `the raw frame has ${raw?.length ?? 0} bytes, announced were ${expected}`
    const output = raw.subarray(0, outputLength)
    if (digestOf(output) !== result.outputDigest) return 'the output does not match its digest'
    const flaw = floatFlaw(delivery.task.spec, output)
    if (flaw !== undefined) return flaw
    let from = outputLength
    const transcript = partLengths.map((length) => {
      from += length
      return raw.subarray(from - length, from)
    })
    return { output, transcript }
  }

  async function signatureFlaw(
    delivery: Delivery,
    key: PublicKey,
    result: Result,
  ): Promise<string | undefined> {
    const { programId } = delivery.task.spec
    const statement = resultStatement(describe(delivery), programId, delivery.workerId, result)
    const payload = attestedPayload(statement, result.attestation, sha256)
    if (payload === undefined) return 'the attestation fits no batch'
    const signed = await parts.verify(key, payload, result.attestation.signature)
    return signed ? undefined : 'the answer is not signed by the worker'
  }

  return { answered, batchAnswered, audits }
}
