/**
 * Drives the audits of answers that ask for a proof of a block: one for each delivery, as many as are bounded here. It draws, sends, asks the
 * commitments and the verifier, and says once how an audit ended; whoever goes silent is ended by the delivery's deadline.
 */
import type { Delivery } from '@shardy/dispatch'
import {
  type AuditProof,
  type AuditSums,
  type DeliveryId,
  type Digest,
  encodeFrame,
  type ProvenBlock,
  payloadBytesMax,
  type Sha256,
  slotsMax,
  taskProofV3Signals,
  type WantedProof,
  type WorkerId,
  type ZkProofPayload,
  zeroSums,
} from '@shardy/protocol'
import {
  type BlockPlace,
  decodeProgram,
  type OperandBlocks,
  operandBlocks,
  type ProvableProduct,
  provableProduct,
  tileOf,
  tilesOf,
} from '@shardy/tensor'
import type { Log } from '../log.ts'
import type { Payloads } from '../tasks/payloads.ts'
import { type Audit, type AuditEffect, type Audited, type AuditInput, stepAudit } from './audit.ts'
import { drawBelow } from './draw.ts'
import type { BlockProofs, ProofFlaw } from './proofs.ts'

export type AuditEnd =
  | { readonly kind: 'held'; readonly proof: ZkProofPayload; readonly block: ProvenBlock }
  | ProofFlaw

export interface AuditedAnswer {
  readonly delivery: Delivery
  readonly outputDigest: Digest
  /** What is held for it: its output, and whatever else came with that. */
  readonly bytes: number
  /** What the delivery asked for. */
  readonly wanted: WantedProof
}

/** Called once, unless the delivery is settled or its worker leaves before. */
export type AuditEnded = (end: AuditEnd) => Promise<void>

export interface AuditsParts {
  readonly sha256: Sha256
  readonly blocks: BlockProofs | undefined
  readonly payloads: Pick<Payloads, 'answer' | 'input'>
  readonly log: Log
  random(length: number): Uint8Array
  send(workerId: WorkerId, frame: Uint8Array): void
}

export interface Audits {
  has(deliveryId: DeliveryId): boolean
  /** The answer, signed and with its output, is held: draws a tile of it. Or why there can be no audit. */
  begin(answer: AuditedAnswer, ended: AuditEnded): ProofFlaw | undefined
  /** Resolves when what it led to has been said. What is about no audit of this worker's changes nothing. */
  sumsCame(workerId: WorkerId, sums: AuditSums): Promise<void> | undefined
  proofCame(workerId: WorkerId, proof: AuditProof): Promise<void> | undefined
  settled(deliveryId: DeliveryId): void
  left(workerId: WorkerId): void
}

export interface AuditBounds {
  readonly auditsMax: number
  readonly perWorkerMax: number
  /** Of the answers that are held for them; one audit may always go on, however long its answer is. */
  readonly bytesMax: number
  readonly perWorkerBytesMax: number
}

/**
 * A worker has no more under way than it may compute at once. An answer is held for as long as its worker cares to be silent, so together they
 * may take only a part of what there is for all answers (`answerBytesMax`): the others' have to come in all the same.
 */
export const defaultAuditBounds: AuditBounds = {
  auditsMax: 4096,
  perWorkerMax: slotsMax,
  bytesMax: 4 * payloadBytesMax,
  perWorkerBytesMax: payloadBytesMax,
}

interface Running extends Audited {
  readonly delivery: Delivery
  readonly outputDigest: Digest
  readonly bytes: number
  readonly ended: AuditEnded
  audit: Audit
}

interface OfWorker {
  readonly deliveries: Set<DeliveryId>
  bytes: number
}

export function createAudits(parts: AuditsParts, bounds: AuditBounds = defaultAuditBounds): Audits {
  const { sha256, blocks, payloads, log } = parts
  const running = new Map<DeliveryId, Running>()
  const ofWorker = new Map<WorkerId, OfWorker>()
  let heldBytes = 0
  let zeroCommitment: bigint | undefined
  let lastCut: Promise<unknown> = Promise.resolve()

  /** Of an input that may be long only a block is wanted: one is read at a time, however many proofs come at once. */
  function operandsOf({ delivery, product }: Running, place: BlockPlace): Promise<OperandBlocks> {
    const { spec } = delivery.task
    const cut = lastCut.then(async () => operandBlocks(product, await payloads.input(spec), place))
    lastCut = cut.catch(() => {})
    return cut
  }

  function find(workerId: WorkerId, deliveryId: DeliveryId): Running | undefined {
    const found = running.get(deliveryId)
    return found?.delivery.workerId === workerId ? found : undefined
  }

  function remove({ delivery: { deliveryId, workerId }, bytes }: Running): void {
    if (!running.delete(deliveryId)) return
    heldBytes -= bytes
    const own = ofWorker.get(workerId)
    if (own === undefined) return
    own.deliveries.delete(deliveryId)
    own.bytes -= bytes
    if (own.deliveries.size === 0) ofWorker.delete(workerId)
  }

  function settled(deliveryId: DeliveryId): void {
    const found = running.get(deliveryId)
    if (found !== undefined) remove(found)
  }

  function isTooMuch(bytes: number, { deliveries, bytes: own }: OfWorker): boolean {
    const { auditsMax, perWorkerMax, bytesMax, perWorkerBytesMax } = bounds
    return (
      running.size >= auditsMax ||
      deliveries.size >= perWorkerMax ||
      (running.size > 0 && heldBytes + bytes > bytesMax) ||
      (deliveries.size > 0 && own + bytes > perWorkerBytesMax)
    )
  }

  function begin(
    { delivery, outputDigest, bytes, wanted }: AuditedAnswer,
    ended: AuditEnded,
  ): ProofFlaw | undefined {
    const { deliveryId, workerId } = delivery
    if (running.has(deliveryId)) throw new Error(`delivery ${deliveryId} is audited already`)
    if (blocks === undefined) return { kind: 'unjudged', detail: 'proofs of blocks are not verified here' }
    const product = productOf(delivery)
    if (product === undefined) return { kind: 'refused', detail: 'no block of the program can be proven' }
    const own: OfWorker = ofWorker.get(workerId) ?? { deliveries: new Set(), bytes: 0 }
    if (isTooMuch(bytes, own)) return { kind: 'unjudged', detail: 'too many answers are being audited' }
    const { rows, columns } = tilesOf(product)
    const drawn = drawBelow(rows * columns, parts.random)
    const tile = { tileRow: Math.floor(drawn / columns), tileColumn: drawn % columns }
    running.set(deliveryId, {
      delivery,
      outputDigest,
      bytes,
      product,
      verifierVersion: wanted.verifierVersion,
      ended,
      audit: { kind: 'awaitingSums', tile },
    })
    own.deliveries.add(deliveryId)
    own.bytes += bytes
    heldBytes += bytes
    ofWorker.set(workerId, own)
    parts.send(workerId, encodeFrame('auditTile', { deliveryId, row: tile.tileRow, column: tile.tileColumn }))
    return undefined
  }

  function sumsCame(workerId: WorkerId, { deliveryId, commitments }: AuditSums): Promise<void> | undefined {
    const found = find(workerId, deliveryId)
    const output = payloads.answer(deliveryId)?.output
    if (blocks === undefined || output === undefined || found?.audit.kind !== 'awaitingSums') return undefined
    const { product, audit } = found
    zeroCommitment ??= blocks.commitments.commitSums(zeroSums())
    return take(found, {
      kind: 'sumsCame',
      commitments,
      tileCommitment: blocks.commitments.commitSums(tileOf(product, output, audit.tile)),
      zeroCommitment,
      depth: drawBelow(tilesOf(product).depth, parts.random),
    })
  }

  function proofCame(workerId: WorkerId, { deliveryId, proof }: AuditProof): Promise<void> | undefined {
    const found = find(workerId, deliveryId)
    return found && take(found, { kind: 'proofCame', proof })
  }

  async function take(found: Running, input: AuditInput): Promise<void> {
    const { audit, effect } = stepAudit(found, found.audit, input)
    found.audit = audit
    if (audit.kind === 'held' || audit.kind === 'refused') {
      remove(found)
      return found.ended(audit)
    }
    if (effect === undefined) return
    if (effect.kind === 'verify') return verify(found, effect)
    const { workerId, deliveryId } = found.delivery
    parts.send(workerId, encodeFrame('auditBlock', { deliveryId, depth: effect.depth }))
  }

  async function verify(
    found: Running,
    { proof, place, sums }: Extract<AuditEffect, { readonly kind: 'verify' }>,
  ): Promise<void> {
    if (blocks === undefined) return
    const { delivery, product, outputDigest } = found
    const { deliveryId, workerId, task } = delivery
    const { taskId, outputLength } = task.spec
    let block: ProvenBlock
    let flaw: ProofFlaw | undefined
    try {
      const { a, b } = await operandsOf(found, place)
      const commitA = blocks.commitments.commitOperand(a, 'a')
      const commitB = blocks.commitments.commitOperand(b, 'b')
      const position = { node: product.node, ...place }
      block = { ...position, commitA, commitB, ...sums }
      const about = { taskId, deliveryId, workerId, outputDigest, outputLength, position }
      const signals = taskProofV3Signals({ ...about, commitA, commitB, ...sums }, sha256)
      flaw = await blocks.verify(workerId, proof, signals)
    } catch (error) {
      log.error('auditFailed', error, { deliveryId })
      return giveUp(found, 'the proof of a block could not be verified')
    }
    if (flaw?.kind === 'unjudged') return giveUp(found, flaw.detail)
    if (running.get(deliveryId) === found) await take(found, { kind: 'verified', block, flaw: flaw?.detail })
  }

  async function giveUp(found: Running, detail: string): Promise<void> {
    // Settled or lost meanwhile: it is nobody's any more.
    if (running.get(found.delivery.deliveryId) !== found) return
    remove(found)
    return found.ended({ kind: 'unjudged', detail })
  }

  return {
    has: (deliveryId) => running.has(deliveryId),
    begin,
    sumsCame,
    proofCame,
    settled,
    left(workerId) {
      for (const deliveryId of [...(ofWorker.get(workerId)?.deliveries ?? [])]) settled(deliveryId)
    },
  }
}

function productOf({ task }: Delivery): ProvableProduct | undefined {
  const decoded = decodeProgram(task.spec.program)
  const found = decoded.ok ? provableProduct(decoded.value) : undefined
  return found?.ok ? found.product : undefined
}
