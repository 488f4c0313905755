/** One delivery that asks for a proof of a block, out with a worker of the test's making, and everything that is said about it. */
import { generateIdentity, verifySignature } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import { type Delivery, emptyState, type NewTask, step } from '@shardy/dispatch'
import {
  batchStatements,
  type Digest,
  decodeFrame,
  encodeHex,
  type Frame,
  type Result,
  resultStatement,
  type TimeMs,
  workerIdOf,
  type ZkProofPayload,
} from '@shardy/protocol'
import {
  type BlockPlace,
  encodeProgram,
  evaluate,
  type MatmulShape,
  matmulProgram,
  type ProvableProduct,
  provableProduct,
  type TilePlace,
  tilePartialSums,
} from '@shardy/tensor'
import { type CutBlock, cutBlock } from '@shardy/worker'
import { createIncoming, type Incoming } from '../src/gateway/incoming.ts'
import { describe } from '../src/gateway/outgoing.ts'
import { silentLog } from '../src/log.ts'
import type { BlockProofs } from '../src/proofs/proofs.ts'
import type { Happening } from '../src/tasks/dispatcher.ts'
import { createPayloads } from '../src/tasks/payloads.ts'
import { newTaskOf, noStake, profile, settings, startMs } from './dispatchTask.ts'
import { type Claim, commitments, createExactProofs, type ExactProofs } from './exactProofs.ts'
import { openMemoryStore } from './network.ts'

const identity = await generateIdentity({ extractable: false })
export const worker = workerIdOf(identity.publicKey, sha256)
const { publicKey } = identity
const digestOf = (bytes: Uint8Array) => encodeHex(sha256(bytes)) as Digest

export interface StageOptions {
  readonly shape?: MatmulShape
  readonly input?: Uint8Array
  readonly about?: Partial<NewTask>
  /** In the order in which they are drawn; then zeros. */
  readonly draws?: readonly number[]
  /** Around the exact ones. */
  readonly proofs?: (exact: ExactProofs) => BlockProofs | undefined
  readonly tasks?: number
}

export interface AuditStage {
  readonly incoming: Incoming
  readonly exact: ExactProofs
  readonly delivery: Delivery
  readonly deliveries: readonly Delivery[]
  readonly product: ProvableProduct
  readonly input: Uint8Array
  /** The right one. */
  readonly output: Uint8Array
  readonly posted: readonly Happening[]
  /** Held at this moment. */
  answerBytes(): number
  /** What was said of deliveries, in words. */
  said(): readonly string[]
  /** Frames to the worker, by type, the newest last. */
  sent(): readonly Frame[]
  answer(output?: Uint8Array, delivery?: Delivery, overrides?: Partial<Result>): Promise<void>
  sums(of: readonly bigint[], by?: typeof worker): Promise<void>
  proof(proof: ZkProofPayload, by?: typeof worker): Promise<void>
  /** Commitments to the right sums of the tile that was drawn. */
  rightSums(): readonly bigint[]
  /** The block that was drawn, and its right witness. */
  drawn(): { readonly claim: Claim; readonly witness: CutBlock }
  tile(): TilePlace
  depth(): number
  /** As dispatch does when the delivery ends otherwise. */
  settle(): void
}

export async function openAuditStage({
  shape = { m: 20, k: 40, n: 33 },
  input = inputOf(shape),
  about = {},
  draws = [],
  proofs = (exact) => exact,
  tasks = 1,
}: StageOptions = {}): Promise<AuditStage> {
  const program = matmulProgram(shape)
  const found = provableProduct(program)
  if (!found.ok) throw new Error('no block of it can be proven')
  const { product } = found
  const output = evaluate(program, input)
  const state = emptyState({ ...settings, policy: { ...settings.policy, prefetchMs: 60_000 as never } })
  const atMs = startMs as TimeMs
  const features = ['proof-v3']
  const joined = { ...profile, features, slots: 64, prefetch: 64 }
  const store = await openMemoryStore()
  const payloads = createPayloads(store, { bytes: async () => new Uint8Array(0) })
  const spec: Partial<NewTask> = {
    program: encodeProgram(program),
    inputLength: input.length,
    inputDigest: digestOf(input),
    outputLength: output.length,
    keepOutput: false,
    proof: 'v3',
    ...about,
  }
  for (let number = 1; number <= tasks; number++) {
    const task = newTaskOf(number, spec)
    payloads.holdInput(task.taskId, input)
    step(state, { kind: 'submit', atMs, task })
  }
  step(state, { kind: 'workerJoined', atMs, workerId: worker, publicKey, profile: joined })
  const deliveries = [...state.deliveries.values()]
  const [delivery] = deliveries
  if (delivery === undefined || deliveries.length < tasks) throw new Error('the worker was given too little')
  const posted: Happening[] = []
  const frames: Frame[] = []
  const left = [...draws]
  const exact = createExactProofs()
  const blocks = proofs(exact)
  const incoming = createIncoming({
    sha256,
    verify: verifySignature,
    payloads,
    proofs: {
      kinds: ['v3'],
      wanted: (kind) => ({ kind, verifierVersion: 3 }),
      verify: async (_, items) => items.map(() => undefined),
      ...(blocks && { blocks }),
      close() {},
    },
    log: silentLog,
    floatFlaw: () => undefined,
    asked: () => ({ kind: 'v3', verifierVersion: 3 }),
    state: () => state,
    stake: () => noStake,
    postAll(_, happenings) {
      posted.push(...happenings)
      return { taken: happenings.length, decided: Promise.resolve() }
    },
    storeOutput: async () => {},
    random(length) {
      const bytes = new Uint8Array(length)
      new DataView(bytes.buffer).setUint32(0, left.shift() ?? 0)
      return bytes
    },
    send(_, frame) {
      const decoded = decodeFrame(frame, 'orchestrator')
      if (!decoded.ok) throw new Error('what was sent is no frame')
      frames.push(decoded.value)
    },
  })

  async function answer(given = output, to = delivery as Delivery, overrides: Partial<Result> = {}) {
    const outputDigest = digestOf(given)
    const statement = resultStatement(describe(to), to.task.spec.programId, worker, {
      outputDigest,
      traceRoot: undefined,
    })
    const { payload, attest } = batchStatements([statement], sha256)
    const [attestation] = attest(await identity.sign(payload))
    if (attestation === undefined) throw new Error('a batch of one has one attestation')
    const result: Result = {
      deliveryId: to.deliveryId,
      outputDigest,
      outputLength: given.length,
      outputIncluded: true,
      attestation,
      traceRoot: undefined,
      salt: undefined,
      partLengths: [],
      proof: undefined,
      ...overrides,
    }
    await incoming.answered(worker, publicKey, result, given)
  }

  function tile(): TilePlace {
    const frame = frames.findLast(({ type }) => type === 'auditTile')
    if (frame?.type !== 'auditTile') throw new Error('no tile was drawn')
    return { tileRow: frame.body.row, tileColumn: frame.body.column }
  }

  function depth(): number {
    const frame = frames.findLast(({ type }) => type === 'auditBlock')
    if (frame?.type !== 'auditBlock') throw new Error('no block was drawn')
    return frame.body.depth
  }

  const { deliveryId, task } = delivery
  return {
    incoming,
    exact,
    delivery,
    deliveries,
    product,
    input,
    output,
    posted,
    answerBytes: () => payloads.answerBytes(),
    said: () => posted.map((each) => (each.kind === 'corrupted' ? `corrupted: ${each.detail}` : each.kind)),
    sent: () => frames,
    answer,
    async sums(of, by = worker) {
      await incoming.audits.sumsCame(by, { deliveryId, commitments: of })
    },
    async proof(proof, by = worker) {
      await incoming.audits.proofCame(by, { deliveryId, proof })
    },
    rightSums: () => tilePartialSums(product, input, tile()).map((sums) => commitments.commitSums(sums)),
    drawn() {
      const place: BlockPlace = { ...tile(), depth: depth() }
      const { taskId, outputLength } = task.spec
      const claim = {
        taskId,
        deliveryId,
        workerId: worker,
        outputDigest: digestOf(output),
        outputLength,
        position: { node: product.node, ...place },
      }
      return { claim, witness: cutBlock({ product, input, ...claim }) }
    },
    tile,
    depth,
    settle() {
      state.deliveries.delete(deliveryId)
      payloads.dropAnswer(deliveryId)
      incoming.audits.settled(deliveryId)
    },
  }
}

function inputOf({ m, k, n }: MatmulShape): Uint8Array {
  return Uint8Array.from({ length: m * k + k * n }, (_, index) => (index * 37 + (index >> 3) * 11) & 0xff)
}
