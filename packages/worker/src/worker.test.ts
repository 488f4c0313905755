/** The driver over a real WebSocket, with real signatures and a real executor, against a server that plays its part. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cellAt, decodeOpening, drawBenchmark, encodeBenchmark, type Opening } from '@shardy/chain'
import { checkOpenings, createCpuExecutor, type Executor, openCheckTools } from '@shardy/compute'
import { generateIdentity, type Identity, verifySignature } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import {
  attestedPayload,
  type BatchDelivery,
  type BatchResult,
  type Commit,
  commitTo,
  type Delivery,
  decodeFrame,
  decodeHex,
  encodeHex,
  helloPayload,
  merkleRoot,
  resultStatement,
  signedBatch,
  statementLeaf,
  type ZkProofPayload,
} from '@shardy/protocol'
import { buildProgram, evaluate, inputLength, matmulProgram, type Program, programId } from '@shardy/tensor'
import { check, planCheck, policies } from '@shardy/tensor/check'
import { ManualClock } from '../test/manualClock.ts'
import { type FakeOrchestrator, type Line, startOrchestrator } from '../test/orchestrator.ts'
import { type Clock, systemClock } from './clock.ts'
import { createConstants, fetchConstants } from './constants.ts'
import type { BlockProver, Provable, TaskProver } from './prover.ts'
import { connectWebSocket, workerSocketUrl } from './socket.ts'
import type { WorkerView } from './view.ts'
import { createWorker, type Worker, type WorkerConfig } from './worker.ts'

const identity: Identity = await generateIdentity({ extractable: false })
const program: Program = matmulProgram({ m: 5, k: 7, n: 3 })
const input = Uint8Array.from({ length: inputLength(program) }, (_, index) => (index * 37) & 0xff)
const output = evaluate(program, input)
const outputDigest = encodeHex(sha256(output)) as Delivery['payloadDigest']

let orchestrator: FakeOrchestrator
let worker: Worker | undefined

beforeEach(async () => {
  orchestrator = await startOrchestrator()
})
afterEach(async () => {
  await worker?.stop()
  worker = undefined
  await orchestrator.close()
})

function begin(
  executor: Executor = createCpuExecutor(),
  clock: Clock = systemClock,
  config: Partial<WorkerConfig> = {},
  prover?: TaskProver,
  blockProver?: BlockProver,
): Worker {
  const connect = connectWebSocket(workerSocketUrl(orchestrator.url))
  const constants = createConstants(fetchConstants(orchestrator.url), sha256)
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
  worker = createWorker(
    { connect, identity, sha256, executor, constants, prover, blockProver, clock, random, log: () => {} },
    { agent: 'test/0', slots: 2, payloadBytesMax: 2 ** 26, operationsPerSecond: 0, ...config },
  )
  worker.start()
  return worker
}

async function until(watched: Worker, holds: (view: WorkerView) => boolean): Promise<WorkerView> {
  for (;;) {
    const view = watched.getView()
    if (holds(view)) return view
    await nextChange(watched)
  }
}

function nextChange(watched: Worker): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = watched.subscribe(() => {
      unsubscribe()
      resolve()
    })
  })
}

/** An executor that answers when the test says so. */
function createHeldExecutor() {
  const cpu = createCpuExecutor()
  const began = Promise.withResolvers<AbortSignal>()
  const finish = Promise.withResolvers<void>()
  const executor: Executor = {
    ...cpu,
    async execute(work, bytes, options = {}) {
      const { signal } = options
      if (signal !== undefined) began.resolve(signal)
      await finish.promise
      return cpu.execute(work, bytes, options)
    },
  }
  return { executor, began: began.promise, finish: () => finish.resolve() }
}

async function settle(line: Line, { deliveryId }: Delivery, reward = 1_500n): Promise<void> {
  const settlement = { deliveryId, outcome: 'accepted' as const, rewardMicroCredit: reward as never }
  line.send('settlements', { settlements: [settlement] })
}

test('from challenge to settled', async () => {
  const running = begin()
  const line = await orchestrator.line()
  const { signature, ...content } = await line.admit()
  const payload = helloPayload(content, line.nonce, line.orchestratorId)
  expect(await verifySignature(content.publicKey, payload, signature)).toBe(true)
  expect(content).toMatchObject({
    version: 1,
    agent: 'test/0',
    kinds: ['program', 'shader', 'lite', 'superLite'],
    executor: 'cpu',
  })

  const delivery = await line.deliver(program, input)
  const { deliveryId } = delivery
  expect(await line.expect('ack')).toEqual({ deliveryId })
  const result = await line.expect('result')
  expect(result).toMatchObject({
    deliveryId,
    outputDigest,
    outputLength: output.length,
    outputIncluded: true,
  })
  expect(await line.raw()).toEqual(output)
  const statement = resultStatement(delivery, programId(program, sha256), running.getView().workerId, {
    outputDigest,
    traceRoot: undefined,
  })
  const attested = attestedPayload(statement, result.attestation, sha256) ?? new Uint8Array()
  expect(await verifySignature(identity.publicKey, attested, result.attestation.signature)).toBe(true)

  await settle(line, delivery)
  const view = await until(running, ({ totals }) => totals.accepted === 1)
  expect(view.totals.rewardMicroCredit).toBe(1_500n)
  expect(view.history).toMatchObject([
    { deliveryId, taskId: delivery.taskId, ending: { kind: 'settled', outcome: 'accepted' } },
  ])
  expect(view.deliveries).toEqual([])
})

test('commit, then show what was committed to', async () => {
  begin()
  const line = await orchestrator.line()
  await line.admit()
  const delivery = await line.deliver(program, input, { commitFirst: true, returnOutput: false })
  const { deliveryId } = delivery
  await line.expect('ack')
  const { commits } = await line.expect('commits')
  line.send('closings', { deliveryIds: [deliveryId] })
  const result = await line.expect('result')
  expect(result).toMatchObject({ outputDigest, outputIncluded: false, outputLength: output.length })
  const { traceRoot, salt = '' } = result
  const commitment = commitTo(
    { workerId: line.workerId as never, deliveryId, outputDigest, traceRoot, salt },
    sha256,
  )
  expect(commits).toEqual([{ deliveryId, commitment }])
})

test('a delivery inside a batch is accepted by its path', async () => {
  const { batchStatements, deliveryStatement } = await import('@shardy/protocol')
  begin()
  const line = await orchestrator.line()
  await line.admit()
  const deliveries = await Promise.all([1, 2, 3].map(() => line.deliveryOf(program, input)))
  const id = programId(program, sha256)
  const statements = deliveries.map((delivery) => deliveryStatement(delivery, id, line.workerId as never))
  const batch = batchStatements(statements, sha256)
  const attestations = batch.attest(await line.identity.sign(batch.payload))
  for (const [index, delivery] of deliveries.entries()) {
    const attestation = attestations[index]
    if (attestation === undefined) throw new Error('every statement is attested')
    line.send('delivery', { ...delivery, attestation })
    line.sendRaw(input)
    expect(await line.expect('ack')).toEqual({ deliveryId: delivery.deliveryId })
    await line.expect('result')
    await line.raw()
  }
})

describe('many small deliveries', () => {
  const small: Program = matmulProgram({ m: 32, k: 32, n: 32 })
  const inputs = Array.from({ length: 60 }, (_, number) =>
    Uint8Array.from({ length: inputLength(small) }, (_entry, index) => (index * 37 + number) & 0xff),
  )

  /** Answers until there are as many as this, each batch under a signature that holds. */
  async function take(line: Line, count: number): Promise<BatchResult[]> {
    const results: BatchResult[] = []
    while (results.length < count) {
      const batch = await line.expect('results')
      const leaves = batch.results.map(({ leaf }) => decodeHex(leaf) ?? new Uint8Array())
      const payload = signedBatch(merkleRoot(leaves, sha256), leaves.length)
      expect(await verifySignature(identity.publicKey, payload, batch.signature)).toBe(true)
      results.push(...batch.results)
    }
    return results
  }

  function expectRight(
    line: Line,
    asked: readonly BatchDelivery[],
    results: readonly BatchResult[],
    output: (input: Uint8Array) => Uint8Array | undefined,
  ): void {
    const workerId = line.workerId as never
    for (const [index, delivery] of asked.entries()) {
      const digest = encodeHex(sha256(evaluate(small, delivery.payload))) as Delivery['payloadDigest']
      const payloadDigest = encodeHex(sha256(delivery.payload)) as never
      const answered = { outputDigest: digest, traceRoot: undefined }
      const statement = resultStatement(
        { ...delivery, payloadDigest },
        programId(small, sha256),
        workerId,
        answered,
      )
      expect(results[index]).toMatchObject({
        deliveryId: delivery.deliveryId,
        outputDigest: digest,
        output: output(delivery.payload),
        leaf: encodeHex(statementLeaf(statement, sha256)) as never,
      })
    }
  }

  test.each([
    { desc: 'on the calling thread', executor: createCpuExecutor() },
    { desc: 'where every call leaves it', executor: { ...createCpuExecutor(), executeSmall: undefined } },
  ])('are answered together, $desc', async ({ executor }) => {
    const { executeSmall, ...others } = executor
    const running = begin(executeSmall === undefined ? others : executor)
    const line = await orchestrator.line()
    await line.admit()
    const asked = await line.deliverMany(small, inputs)
    const results = await take(line, inputs.length)
    expectRight(line, asked, results, (bytes) => evaluate(small, bytes))
    const settlements = asked.map(({ deliveryId }) => ({
      deliveryId,
      outcome: 'accepted' as const,
      rewardMicroCredit: 3n as never,
    }))
    line.send('settlements', { settlements })
    const view = await until(running, ({ totals }) => totals.accepted === inputs.length)
    expect(view.totals.rewardMicroCredit).toBe(180n)
    expect(view.small).toEqual({ open: 0, committed: 0, answered: 0 })
  })

  test('are committed to first, and shown when that is closed', async () => {
    begin()
    const line = await orchestrator.line()
    await line.admit()
    const asked = await line.deliverMany(small, inputs, { commitFirst: true, returnOutput: false })
    const commits: Commit[] = []
    while (commits.length < asked.length) commits.push(...(await line.expect('commits')).commits)
    line.send('closings', { deliveryIds: asked.map(({ deliveryId }) => deliveryId) })
    const results = await take(line, asked.length)
    expectRight(line, asked, results, () => undefined)
    const workerId = line.workerId as never
    for (const [index, { deliveryId, outputDigest, traceRoot, salt = '' }] of results.entries()) {
      const commitment = commitTo({ workerId, deliveryId, outputDigest, traceRoot, salt }, sha256)
      expect(commits[index]).toEqual({ deliveryId, commitment })
    }
    expect(new Set(results.map(({ salt }) => salt)).size).toBe(results.length)
  })

  const v2 = { kind: 'v2', verifierVersion: 2 } as const
  /** Not proofs, but of each which answer it was asked for. */
  const proofOf = ({ outputDigest, taskId }: Provable): ZkProofPayload => {
    const proof = new Uint8Array(256)
    proof.set(sha256(new TextEncoder().encode(`${outputDigest} ${taskId}`)))
    return { ...v2, proof }
  }

  test('are proven together, each its own answer', async () => {
    let calls = 0
    const prover: TaskProver = {
      kinds: ['v2'],
      async prove(answers) {
        calls++
        return answers.map(proofOf)
      },
    }
    begin(undefined, undefined, {}, prover)
    const line = await orchestrator.line()
    await line.admit()
    const asked = await line.deliverMany(small, inputs, { proof: v2 })
    const results = await take(line, inputs.length)
    for (const [index, { outputDigest, output = new Uint8Array(), proof }] of results.entries()) {
      const { taskId, seed } = asked[index] as BatchDelivery
      expect(proof).toEqual(proofOf({ ...v2, taskId, seed, outputDigest, outputLength: output.length }))
    }
    expect(calls).toBeLessThan(inputs.length)
  })

  test('whose proofs cannot be made are handed back with the reason', async () => {
    const prove = () => Promise.reject(new Error('no key of version 2'))
    begin(undefined, undefined, {}, { kinds: ['v2'], prove })
    const line = await orchestrator.line()
    await line.admit()
    const asked = await line.deliverMany(small, inputs.slice(0, 2), { proof: v2 })
    for (const { deliveryId } of asked) {
      const message = 'the proof could not be made: no key of version 2'
      expect(await line.expect('reject')).toMatchObject({ deliveryId, reason: 'executionFailed', message })
    }
  })

  test('signed by somebody else are handed back', async () => {
    begin()
    const line = await orchestrator.line()
    await line.admit()
    const stranger = await generateIdentity({ extractable: false })
    Object.assign(line, { identity: stranger })
    const asked = await line.deliverMany(small, inputs.slice(0, 3))
    for (const { deliveryId } of asked) {
      expect(await line.expect('reject')).toMatchObject({ deliveryId, reason: 'badAttestation' })
    }
  })
})

test('an audit finds the input, also where the executor took it to another thread', async () => {
  const cpu = createCpuExecutor()
  const executor: Executor = {
    ...cpu,
    async execute(work, bytes, options) {
      const { buffer } = bytes
      return cpu.execute(
        work,
        new Uint8Array(structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })),
        options,
      )
    },
  }
  const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${encodeHex(sha256(bytes).subarray(0, 30))}`)
  begin(executor, undefined, {}, undefined, {
    kinds: ['v3'],
    sums: async (_, bytes) => [numberOf(bytes)],
    prove: () => Promise.reject(new Error('nobody asks')),
  })
  const line = await orchestrator.line()
  await line.admit()
  const { deliveryId } = await line.deliver(program, input, { proof: { kind: 'v3', verifierVersion: 3 } })
  await line.expect('ack')
  await line.expect('result')
  await line.raw()
  line.send('auditTile', { deliveryId, row: 0, column: 0 })
  expect((await line.expect('auditSums')).commitments).toEqual([numberOf(input)])
})

test('a transcript follows the output, and the answer passes the check that it is for', async () => {
  const deep: Program = buildProgram((b) =>
    b
      .input('i8', [256, 512])
      .matmul(b.input('i8', [512, 256]))
      .requantize({ multiplier: 1, shift: 9, to: 'i8' }),
  )
  const bytes = Uint8Array.from({ length: inputLength(deep) }, (_, index) => (index * 91) & 0xff)
  const { keep } = planCheck(deep, policies.interactive)
  expect(keep.length).toBe(1)
  begin()
  const line = await orchestrator.line()
  await line.admit()
  await line.deliver(deep, bytes, { returnTranscript: true })
  await line.expect('ack')
  let answered = decodeFrame(await line.raw(), 'worker')
  while (answered.ok && answered.value.type === 'progress') answered = decodeFrame(await line.raw(), 'worker')
  if (!answered.ok || answered.value.type !== 'result') throw new Error('a result was to come')
  const { outputLength, outputDigest, partLengths } = answered.value.body
  const raw = await line.raw()
  expect(raw.length).toBe(partLengths.reduce((sum, length) => sum + length, outputLength))
  const claim = { output: raw.subarray(0, outputLength), transcript: [raw.subarray(outputLength)] }
  const verdict = check(
    {
      program: deep,
      input: bytes,
      policy: policies.interactive,
      claim,
      challenge: { kind: 'drawn', after: 'arrival', seed: crypto.getRandomValues(new Uint8Array(32)) },
    },
    await openCheckTools(sha256),
  )
  expect(verdict).toMatchObject({ ok: true, cost: { projected: 1, recomputed: 0 } })
  expect(encodeHex(sha256(claim.output))).toBe(outputDigest)
})

test('a benchmark is answered with a root whose cells hold', async () => {
  const executor = createCpuExecutor()
  const running = begin(executor, systemClock, { stableBytes: 1_000_000 })
  const line = await orchestrator.line()
  await line.admit()
  const size = { kind: 'product', rows: 2, width: 256, steps: 64, checkpointEvery: 16 } as const
  const benchmark = drawBenchmark('5e'.repeat(32) as never, size)
  const benchmarkId = 'be'.repeat(16)
  line.send('benchmark', { benchmarkId, parameters: encodeBenchmark(benchmark), withinMs: 60_000 as never })
  const { root, stableBytes } = await line.expect('benchmarkRoot')
  expect(stableBytes).toBe(1_000_000)
  const indexes = [7, 0, 3]
  line.send('benchmarkOpen', { benchmarkId, indexes })
  const openings: Opening[] = []
  for (const index of indexes) {
    const frame = await line.expect('benchmarkOpening')
    expect(frame.index).toBe(index)
    const opening = decodeOpening(frame.opening)
    if (!opening.ok) throw new Error(opening.refusal.kind)
    openings.push(opening.value)
  }
  const drawn = indexes.map((index) => cellAt(benchmark, index))
  expect(await checkOpenings(executor, { benchmark, root, drawn, openings }, { sha256 })).toEqual({
    kind: 'right',
  })
  line.send('admitted', { tier: 2, operationsPerSecond: 5, message: 'fast enough' })
  line.send('idle', { constraint: 'noTasks', message: 'nothing waits' })
  const view = await until(running, ({ idle }) => idle !== undefined)
  expect(view.standing).toEqual({ tier: 2, operationsPerSecond: 5, message: 'fast enough' })
  expect(view.idle).toMatchObject({ constraint: 'noTasks', message: 'nothing waits' })
})

describe('handed back', () => {
  test('a corrupted payload', async () => {
    begin()
    const line = await orchestrator.line()
    await line.admit()
    const delivery = await line.deliveryOf(program, input)
    line.send('delivery', delivery)
    line.sendRaw(input.map((byte, index) => (index === 3 ? byte ^ 1 : byte)))
    expect(await line.expect('reject')).toMatchObject({
      deliveryId: delivery.deliveryId,
      reason: 'corrupted',
    })
    await line.deliver(program, input)
    await line.expect('ack')
  })

  const forgeries: { desc: string; forge: (delivery: Delivery) => Promise<Delivery> }[] = [
    {
      desc: 'of a stranger',
      forge: async (delivery) => {
        const stranger = await generateIdentity({ extractable: false })
        const signature = await stranger.sign(Uint8Array.of(1))
        return { ...delivery, attestation: { ...delivery.attestation, signature } }
      },
    },
    { desc: 'over another seed', forge: async (delivery) => ({ ...delivery, seed: 2n }) },
    {
      desc: 'over another deadline',
      forge: async (delivery) => ({ ...delivery, deadlineMs: (delivery.deadlineMs + 1) as never }),
    },
  ]
  test.each(forgeries)('an attestation $desc', async ({ forge }) => {
    begin()
    const line = await orchestrator.line()
    await line.admit()
    line.send('delivery', await forge(await line.deliveryOf(program, input)))
    line.sendRaw(input)
    expect(await line.expect('reject')).toMatchObject({ reason: 'badAttestation' })
  })

  test('work for a paused worker, whose presence was told', async () => {
    const running = begin()
    const line = await orchestrator.line()
    await line.admit()
    running.pause()
    expect(await line.expect('presence')).toEqual({ state: 'paused' })
    await line.deliver(program, input)
    expect(await line.expect('reject')).toMatchObject({ reason: 'paused' })
    running.resume()
    expect(await line.expect('presence')).toEqual({ state: 'available' })
    running.setHidden(true)
    expect(await line.expect('presence')).toEqual({ state: 'hidden' })
  })

  test('what a lost device did not finish', async () => {
    const { ComputeError } = await import('@shardy/compute')
    begin({
      ...createCpuExecutor(),
      execute: () => Promise.reject(new ComputeError('deviceLost', 'unplugged')),
    })
    const line = await orchestrator.line()
    await line.admit()
    await line.deliver(program, input)
    await line.expect('ack')
    expect(await line.expect('reject')).toMatchObject({ reason: 'deviceLost', message: 'unplugged' })
  })
})

test('a cancel aborts the execution, and the next delivery is executed', async () => {
  const held = createHeldExecutor()
  const running = begin(held.executor)
  const line = await orchestrator.line()
  await line.admit()
  const { deliveryId } = await line.deliver(program, input)
  await line.expect('ack')
  const signal = await held.began
  line.send('cancel', { deliveryId, reason: 'taskDecided' })
  await until(running, ({ totals }) => totals.cancelled === 1)
  expect(signal.aborted).toBe(true)
  held.finish()
  await line.deliver(program, input)
  await line.expect('ack')
  await line.expect('result')
})

test('a large payload comes and goes in one frame', async () => {
  begin()
  const line = await orchestrator.line()
  await line.admit()
  const large: Program = matmulProgram({ m: 1, k: 4_000, n: 5_000 })
  const bytes = new Uint8Array(inputLength(large)).fill(1)
  await line.deliver(large, bytes)
  await line.expect('ack')
  for (;;) {
    const frame = await line.raw()
    if (frame[0] !== 10) break // Progress comes first, the result ends it.
  }
  expect(await line.raw()).toEqual(new Uint8Array(new Int32Array(5_000).fill(4_000).buffer))
})

test('heartbeats are sent and their answers keep the line', async () => {
  const clock = new ManualClock()
  const running = begin(undefined, clock)
  const line = await orchestrator.line()
  await line.admit(1_000)
  for (let sequence = 1; sequence <= 8; sequence++) {
    clock.advance(1_000)
    const beat = await line.expect('heartbeat')
    expect(beat).toEqual({ sequence, inFlight: 0 })
    const heard = nextChange(running)
    line.send('heartbeat', beat)
    await heard
  }
  expect(running.getView().connection.kind).toBe('admitted')
})

describe('reconnecting', () => {
  test('after a dropped line', async () => {
    const clock = new ManualClock()
    const running = begin(undefined, clock)
    const first = await orchestrator.line()
    await first.admit()
    first.socket.terminate()
    await until(running, ({ connection }) => connection.kind === 'waiting')
    clock.advance(30_000)
    const second = await orchestrator.line()
    await second.admit()
    await second.deliver(program, input)
    await second.expect('ack')
  })

  test('after silence, which is named to both sides', async () => {
    const clock = new ManualClock()
    const running = begin(undefined, clock)
    const line = await orchestrator.line()
    await line.admit(1_000)
    clock.advance(3_000)
    expect(await line.closed.take()).toEqual({ code: 4410, text: 'silence' })
    expect(running.getView().connection).toMatchObject({
      kind: 'waiting',
      reason: 'the orchestrator was silent for 3 heartbeats',
    })
    clock.advance(30_000)
    await (await orchestrator.line()).admit()
  })

  const violations: { desc: string; commit: (line: Line) => unknown; reason: string }[] = [
    {
      desc: 'a malformed frame',
      commit: (line) => line.sendRaw(Uint8Array.of(8, 1, 2, 3)),
      reason: 'malformed frame',
    },
    {
      desc: 'a frame out of place',
      commit: (line) => line.challenge(),
      reason: 'sent challenge while the worker was admitted',
    },
    { desc: 'text', commit: (line) => line.socket.send('{"hello":1}'), reason: 'sent text' },
  ]
  test.each(violations)('after $desc', async ({ commit, reason }) => {
    const running = begin()
    const line = await orchestrator.line()
    await line.admit()
    commit(line)
    expect(await line.closed.take()).toEqual({ code: 4400, text: 'violation' })
    const { connection } = await until(running, (view) => view.connection.kind === 'waiting')
    expect(connection).toMatchObject({ reason: expect.stringContaining(reason) })
  })

  test('an address where nobody listens is tried again', async () => {
    const gone = await startOrchestrator()
    await gone.close()
    const connect = connectWebSocket(workerSocketUrl(gone.url))
    const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
    const executor = createCpuExecutor()
    const constants = createConstants(fetchConstants(gone.url), sha256)
    worker = createWorker(
      { connect, identity, sha256, executor, constants, clock: systemClock, random, log: () => {} },
      { agent: 'test/0', slots: 1, payloadBytesMax: 1_000, operationsPerSecond: 0 },
    )
    worker.start()
    const { connection } = await until(worker, (view) => view.connection.kind === 'waiting')
    expect(connection).toMatchObject({ reason: expect.stringContaining('the connection ended') })
  })
})

test('a fatal refusal stops the worker and says why', async () => {
  const running = begin()
  const line = await orchestrator.line()
  line.challenge()
  await line.expect('hello')
  line.send('refusal', { code: 'identityInUse', message: 'another tab' })
  expect(await running.stopped).toEqual({ kind: 'refused', code: 'identityInUse', text: 'another tab' })
  expect(running.getView().connection).toEqual({
    kind: 'stopped',
    asked: false,
    reason: 'the orchestrator refused: identityInUse (another tab)',
  })
})

test('stopping says that the worker is leaving, and closes', async () => {
  const running = begin()
  const line = await orchestrator.line()
  await line.admit()
  const stopped = running.stop()
  expect(await line.expect('presence')).toEqual({ state: 'leaving' })
  expect(await line.closed.take()).toEqual({ code: 1000, text: 'leaving' })
  expect(await stopped).toEqual({ kind: 'asked' })
})

test('the view is the same object until something changes', async () => {
  const running = begin()
  const view = running.getView()
  expect(running.getView()).toBe(view)
  running.setHidden(true)
  expect(running.getView()).not.toBe(view)
  expect(running.getView().presence).toBe('hidden')
})

test('slots outside the protocol are a bug of the host', () => {
  expect(() => begin(undefined, undefined, { slots: 0 })).toThrow('allowed is 1 to 64')
})
