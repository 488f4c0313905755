import { describe, expect, test } from 'bun:test'
import { generateIdentity, verifySignature } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import { type Delivery, type Effect, emptyState, type NewTask, step } from '@shardy/dispatch'
import {
  attestedPayload,
  audited,
  batchFrameBytesMax,
  batchMax,
  type DeliveryId,
  decodeFrame,
  deliveryStatement,
  type Frame,
  inlinePayloadBytesMax,
  type MicroCredit,
  merkleRoot,
  type ProgramId,
  programBytesMax,
  quorum,
  signedBatch,
  statementLeaf,
  type TimeMs,
} from '@shardy/protocol'
import {
  newTaskOf,
  profile,
  publicKey,
  settings,
  startMs,
  taskIdOf,
  workerIdOf,
} from '../../test/dispatchTask.ts'
import { openMemoryStore } from '../../test/network.ts'
import { silentLog } from '../log.ts'
import { noProofs } from '../proofs/proofs.ts'
import { createSigner } from '../signer.ts'
import { createPayloads } from '../tasks/payloads.ts'
import { createOutgoing, describe as describeDelivery, returnsOutput } from './outgoing.ts'

const identity = await generateIdentity({ extractable: false })
const worker = workerIdOf(1)

/** Tasks that were submitted and are now out with one worker, and the frames that say so. */
async function open(tasks: readonly (Partial<NewTask> & { readonly input?: Uint8Array })[], hasKeys = true) {
  const state = emptyState(settings)
  const atMs = startMs as TimeMs
  const blobs = new Map<string, Uint8Array>()
  const payloads = createPayloads(await openMemoryStore(), {
    async bytes(digest) {
      const found = blobs.get(digest)
      if (found === undefined) throw new Error('no such blob')
      return found
    },
  })
  for (const [index, { input = new Uint8Array(2), ...about }] of tasks.entries()) {
    const task = newTaskOf(index + 1, { inputLength: input.length, ...about })
    if (input.length <= inlinePayloadBytesMax) payloads.holdInput(task.taskId, input)
    else blobs.set(task.inputDigest, input)
    step(state, { kind: 'submit', atMs, task })
  }
  const wide = { ...profile, payloadBytesMax: 1 << 26, prefetch: 1024, features: ['proof-v2', 'proof-v3'] }
  const effects = step(state, { kind: 'workerJoined', atMs, workerId: worker, publicKey, profile: wide })
  const queue: (() => Promise<readonly Uint8Array[]>)[] = []
  const failed: string[] = []
  const unwanted = new Set<DeliveryId>()
  let queuedMost = 0
  const outgoing = createOutgoing({
    sha256,
    signer: createSigner((payload) => identity.sign(payload), sha256),
    payloads,
    proofs: { ...noProofs, wanted: (kind) => (hasKeys ? { kind, verifierVersion: 2 } : undefined) },
    asked() {},
    log: silentLog,
    sign: (payload) => identity.sign(payload),
    lineOf: (workerId) =>
      workerId === worker
        ? {
            enqueue(load) {
              queue.push(load)
              queuedMost = Math.max(queuedMost, queue.length)
            },
          }
        : undefined,
    isWanted: ({ deliveryId }) => !unwanted.has(deliveryId),
    failed: (_, detail) => failed.push(detail),
  })
  async function frames(): Promise<{
    readonly frames: readonly Frame[]
    readonly raw: readonly Uint8Array[]
    readonly bytes: readonly number[]
  }> {
    const sent: Frame[] = []
    const raw: Uint8Array[] = []
    const bytes: number[] = []
    for (let load = queue.shift(); load !== undefined; load = queue.shift()) {
      let awaitsRaw = false
      for (const each of await load()) {
        if (awaitsRaw) {
          raw.push(each)
          awaitsRaw = false
          continue
        }
        const decoded = decodeFrame(each, 'orchestrator')
        if (!decoded.ok) throw new Error(JSON.stringify(decoded.refusal))
        sent.push(decoded.value)
        bytes.push(each.length)
        awaitsRaw = decoded.value.type === 'delivery' && decoded.value.body.payloadLength > 0
      }
    }
    return { frames: sent, raw, bytes }
  }
  const deliveries = [...state.deliveries.values()]
  return { outgoing, effects, frames, deliveries, failed, unwanted, queuedMost: () => queuedMost }
}

const batchesIn = (frames: readonly Frame[]) =>
  frames.flatMap((frame) => (frame.type === 'deliveries' ? [frame.body] : []))

describe('small deliveries', () => {
  test('of one commit share a frame, their program and one signature over all their statements', async () => {
    const { outgoing, effects, frames, deliveries } = await open(
      Array.from({ length: 5 }, (_, index) => ({
        input: Uint8Array.from([index, index]),
        seed: BigInt(index),
      })),
    )
    outgoing.perform(effects)
    const sent = await frames()
    expect(sent.frames.map(({ type }) => type)).toEqual(['deliveries'])
    const [batch] = batchesIn(sent.frames)
    if (batch === undefined) throw new Error('no batch')
    expect(batch.programs).toEqual([{ kind: 'program', program: new Uint8Array([1]) }])
    expect(batch.deliveries.map(({ program }) => program)).toEqual([0, 0, 0, 0, 0])
    const byId = new Map(deliveries.map((delivery) => [delivery.deliveryId, delivery]))
    const leaves = batch.deliveries.map(({ deliveryId, taskId, payload }) => {
      const delivery = byId.get(deliveryId) as Delivery
      expect(payload[0]).toBe(Number(taskId) - 1)
      const { programId } = delivery.task.spec
      return statementLeaf(deliveryStatement(describeDelivery(delivery), programId, worker), sha256)
    })
    const signed = signedBatch(merkleRoot(leaves, sha256), leaves.length)
    expect(await verifySignature(identity.publicKey, signed, batch.signature)).toBe(true)
    const reordered = signedBatch(merkleRoot(leaves.reverse(), sha256), leaves.length)
    expect(await verifySignature(identity.publicKey, reordered, batch.signature)).toBe(false)
  })

  test('fill a frame up to its count', async () => {
    const { outgoing, effects, frames } = await open(Array.from({ length: batchMax + 3 }, () => ({})))
    outgoing.perform(effects)
    const batches = batchesIn((await frames()).frames)
    expect(batches.map(({ deliveries }) => deliveries.length)).toEqual([batchMax, 3])
  })

  test('fill a frame up to its bytes, whatever their inputs', async () => {
    const { outgoing, effects, frames } = await open(
      Array.from({ length: 200 }, (_, index) => ({
        input: new Uint8Array(index % 3 === 0 ? inlinePayloadBytesMax : 9_000),
      })),
    )
    outgoing.perform(effects)
    const sent = await frames()
    const batches = batchesIn(sent.frames)
    expect(batches.length).toBeGreaterThan(2)
    expect(Math.max(...sent.bytes)).toBeLessThanOrEqual(batchFrameBytesMax)
    // None but the last could have taken one more.
    for (const bytes of sent.bytes.slice(0, -1)) expect(bytes).toBeGreaterThan(batchFrameBytesMax - 32 * 1024)
    expect(batches.reduce((sum, { deliveries }) => sum + deliveries.length, 0)).toBe(200)
  })

  test('of many programs name each of them once in every frame that needs it', async () => {
    const program = (index: number) => new Uint8Array(16 * 1024).fill(index % 100)
    const { outgoing, effects, frames } = await open(
      Array.from({ length: 150 }, (_, index) => ({
        program: program(index),
        programId: (index % 100).toString(16).padStart(64, 'c') as ProgramId,
      })),
    )
    outgoing.perform(effects)
    const sent = await frames()
    expect(Math.max(...sent.bytes)).toBeLessThanOrEqual(batchFrameBytesMax)
    for (const { programs, deliveries } of batchesIn(sent.frames)) {
      const named = new Set(programs.map(({ program }) => program[0]))
      expect(named.size).toBe(programs.length)
      for (const { program, taskId } of deliveries) {
        expect(programs[program]?.program[0]).toBe((Number.parseInt(taskId, 16) - 1) % 100)
      }
    }
  })

  test('ask for a commitment in a quorum alone, and for the output wherever it is kept or looked at', async () => {
    const { outgoing, effects, frames } = await open([
      {},
      { verify: quorum(2, 2) },
      { verify: quorum(2, 2), keepOutput: false },
      { verify: quorum(2, 2), keepOutput: false, exact: false },
      { verify: audited(5), keepOutput: false },
    ])
    outgoing.perform(effects)
    const [batch] = batchesIn((await frames()).frames)
    const asked = new Map(
      batch?.deliveries.map(({ taskId, commitFirst, returnOutput }) => [
        Number(taskId),
        [commitFirst, returnOutput],
      ]),
    )
    expect([1, 2, 3, 4, 5].map((number) => asked.get(number))).toEqual([
      [false, true],
      [true, true],
      [true, false],
      [true, true],
      [false, true],
    ])
  })

  test('whose task ended, or whose input cannot be read, leave the others in their frame', async () => {
    const { outgoing, effects, frames, deliveries, unwanted, failed } = await open([{}, {}, {}])
    const [first, second] = deliveries
    if (first === undefined || second === undefined) throw new Error('nothing is out')
    unwanted.add(first.deliveryId)
    const broken = {
      ...second,
      task: { ...second.task, spec: { ...second.task.spec, taskId: taskIdOf(99) } },
    }
    outgoing.perform(
      effects.map((effect) =>
        effect.kind === 'deliver' && effect.delivery === second ? { ...effect, delivery: broken } : effect,
      ),
    )
    const [batch] = batchesIn((await frames()).frames)
    expect(batch?.deliveries).toHaveLength(1)
    expect(failed).toEqual(['the input could not be read'])
  })

  test('of which none is left make no frame', async () => {
    const { outgoing, effects, frames, deliveries, unwanted } = await open([{}])
    for (const { deliveryId } of deliveries) unwanted.add(deliveryId)
    outgoing.perform(effects)
    expect((await frames()).frames).toEqual([])
  })
})

describe('a large delivery', () => {
  const large: readonly [string, Partial<NewTask> & { readonly input?: Uint8Array }][] = [
    ['its input', { input: new Uint8Array(inlinePayloadBytesMax + 1).fill(9) }],
    ['its output', { outputLength: inlinePayloadBytesMax + 1 }],
    ['its program', { program: new Uint8Array(programBytesMax) }],
    ['constants', { constants: ['ab'.repeat(32) as never] }],
    ['its audit', { proof: 'v3' }],
  ]
  for (const [why, about] of large) {
    test(`for ${why} goes alone, with its own signature and its input raw`, async () => {
      const { outgoing, effects, frames, deliveries } = await open([about])
      outgoing.perform(effects)
      const sent = await frames()
      const [delivery] = deliveries
      const [frame] = sent.frames
      if (frame?.type !== 'delivery' || delivery === undefined) throw new Error('no delivery')
      expect(sent.raw.map(({ length }) => length)).toEqual([frame.body.payloadLength])
      const { programId } = delivery.task.spec
      const statement = deliveryStatement(describeDelivery(delivery), programId, worker)
      const payload = attestedPayload(statement, frame.body.attestation, sha256) as Uint8Array
      expect(await verifySignature(identity.publicKey, payload, frame.body.attestation.signature)).toBe(true)
    })
  }

  test('that is audited returns its output, which nobody else would look at', async () => {
    const unseen = { verify: quorum(2, 2), keepOutput: false } as const
    const { outgoing, effects, frames } = await open([{ ...unseen, proof: 'v3' }])
    outgoing.perform(effects)
    expect((await frames()).frames).toMatchObject([{ type: 'delivery', body: { returnOutput: true } }])
  })

  test('without an input has no raw frame, and goes only while it is wanted', async () => {
    const { outgoing, effects, frames, deliveries, unwanted } = await open([
      { input: new Uint8Array(0), outputLength: 1 << 20 },
      { input: new Uint8Array(0), outputLength: 1 << 20 },
    ])
    unwanted.add(deliveries[0]?.deliveryId as DeliveryId)
    outgoing.perform(effects)
    const sent = await frames()
    expect(sent.frames.map(({ type }) => type)).toEqual(['delivery'])
    expect(sent.raw).toEqual([])
  })

  test('is one of many that go one after the other: a line is not full of them', async () => {
    const count = 600
    const { outgoing, effects, frames, queuedMost } = await open(
      Array.from({ length: count }, () => ({ outputLength: inlinePayloadBytesMax + 1 })),
    )
    outgoing.perform(effects)
    const sent = await frames()
    expect(sent.frames.length).toBe(effects.filter(({ kind }) => kind === 'deliver').length)
    expect(sent.frames.length).toBeGreaterThan(256)
    expect(queuedMost()).toBeLessThan(3)
  })
})

test('what asks for a proof for which there is no key now is not sent: its answer could not count', async () => {
  const tasks = [{ proof: 'v2' }, {}, { proof: 'v3' }] as const
  const { outgoing, effects, frames, failed } = await open(tasks, false)
  outgoing.perform(effects)
  const sent = await frames()
  expect(batchesIn(sent.frames).flatMap(({ deliveries }) => deliveries)).toHaveLength(1)
  expect(sent.frames.map(({ type }) => type)).toEqual(['deliveries'])
  expect(failed.toSorted()).toEqual([
    'no key is in use for proofs of kind v2',
    'no key is in use for proofs of kind v3',
  ])
})

test('verdicts, closings and cancels come in lists before what is to be done next', async () => {
  const { outgoing, effects, frames, deliveries } = await open([{}])
  const ids = Array.from({ length: batchMax + 1 }, (_, index) => taskIdOf(index) as string as DeliveryId)
  const more: Effect[] = ids.flatMap((deliveryId): Effect[] => [
    { kind: 'closeCommitments', workerId: worker, deliveryId },
    {
      kind: 'settle',
      workerId: worker,
      deliveryId,
      outcome: 'superseded',
      rewardMicroCredit: 3n as MicroCredit,
    },
  ])
  const [first] = ids
  more.push({
    kind: 'cancelDelivery',
    workerId: worker,
    deliveryId: first as DeliveryId,
    reason: 'taskDecided',
  })
  // Nobody is there to hear this, and nobody else hears it.
  more.push({ kind: 'closeCommitments', workerId: workerIdOf(2), deliveryId: first as DeliveryId })
  outgoing.perform([...effects, ...more])
  const sent = (await frames()).frames
  expect(sent.map(({ type }) => type)).toEqual([
    'cancel',
    'closings',
    'closings',
    'settlements',
    'settlements',
    'deliveries',
  ])
  expect(sent.flatMap(({ type, body }) => (type === 'closings' ? body.deliveryIds : []))).toEqual(ids)
  const settlements = sent.flatMap(({ type, body }) => (type === 'settlements' ? body.settlements : []))
  expect(settlements.map(({ deliveryId }) => deliveryId)).toEqual(ids)
  expect(deliveries.map(({ task }) => returnsOutput(task))).toEqual([true])
})
