import { expect, test } from 'bun:test'
import { ComputeError, type ComputeErrorKind } from '@shardy/compute'
import { matmulProgram, type Program } from '@shardy/tensor'
import { createManualTimer } from '../../test/manualTimer.ts'
import { cpu, createTestThreads, gpu } from '../../test/thread.ts'
import { type Channel, type ComputeState, openChannel } from './channel.ts'

const program: Program = matmulProgram({ m: 1, k: 2, n: 1 })
const input = () => Uint8Array.of(1, 2, 3, 4)

function setUp() {
  const timer = createManualTimer()
  const threads = createTestThreads()
  const channel = openChannel({ startThread: threads.start, after: timer.after }, undefined)
  return { timer, threads, channel, executor: channel.executorFor(gpu) }
}

async function kindOf(answer: Promise<unknown>): Promise<ComputeErrorKind | 'none'> {
  try {
    await answer
    return 'none'
  } catch (thrown) {
    if (thrown instanceof ComputeError) return thrown.kind
    throw thrown
  }
}

async function until<Kind extends ComputeState['kind']>(channel: Channel, kind: Kind) {
  while (channel.getState().kind !== kind) {
    await new Promise<void>((resolve) => {
      const unsubscribe = channel.subscribe(() => {
        unsubscribe()
        resolve()
      })
    })
  }
  return channel.getState() as Extract<ComputeState, { kind: Kind }>
}

test('opens, measures, and executes with the payload transferred', async () => {
  const { threads, channel, executor } = setUp()
  const thread = await threads.nextReady(gpu)
  expect(await until(channel, 'ready')).toEqual({
    kind: 'ready',
    device: gpu,
    operationsPerSecond: 1e9,
    stableBytes: 2 ** 28,
  })
  const bytes = input()
  const seen: number[] = []
  const answer = executor.execute(program, bytes, { onProgress: (permille) => seen.push(permille) })
  const request = await thread.take('execute')
  expect(thread.transferred).toEqual([bytes.buffer])
  thread.answer({ kind: 'progressed', call: request.call, permille: 500 })
  thread.answer({
    kind: 'executed',
    call: request.call,
    output: Uint8Array.of(11, 0, 0, 0).buffer,
    kept: new Map([[2, Uint8Array.of(7).buffer]]),
  })
  expect(await answer).toEqual({ output: Uint8Array.of(11, 0, 0, 0), kept: new Map([[2, Uint8Array.of(7)]]) })
  expect(seen).toEqual([500])
})

test('a view into a larger buffer leaves the rest of it alone', async () => {
  const { threads, executor } = setUp()
  const thread = await threads.nextReady(gpu)
  const frame = Uint8Array.of(9, 1, 2, 3, 4, 9)
  void executor.execute(program, frame.subarray(1, 5)).catch(() => {})
  const { input: sent } = await thread.take('execute')
  expect(new Uint8Array(sent)).toEqual(input())
  expect(sent).not.toBe(frame.buffer)
})

test('a thread that says nothing is ended, the call rejected, and the next call served by another', async () => {
  const { timer, threads, executor } = setUp()
  const hung = await threads.nextReady(gpu)
  const answer = kindOf(executor.execute(program, input()))
  await hung.take('execute')
  timer.advance(60_000)
  expect(await answer).toBe('deviceLost')
  expect(hung.isTerminated).toBe(true)

  const next = await threads.nextReady(gpu)
  const again = executor.execute(program, input())
  next.answer({
    kind: 'executed',
    call: (await next.take('execute')).call,
    output: new ArrayBuffer(4),
    kept: new Map(),
  })
  expect(await again).toEqual({ output: new Uint8Array(4), kept: new Map() })
})

test('memory is tried on the thread that has the device', async () => {
  const { threads, executor } = setUp()
  const thread = await threads.nextReady(gpu)
  const held = executor.tryMemory?.(4_096)
  const { call, bytes } = await thread.take('tryMemory')
  expect(bytes).toBe(4_096)
  thread.answer({ kind: 'executed', call, output: new ArrayBuffer(0), kept: new Map() })
  await held
  const refused = kindOf(executor.tryMemory?.(8_192) ?? Promise.resolve())
  const again = await thread.take('tryMemory')
  thread.answer({ kind: 'failed', call: again.call, error: 'outOfMemory', message: 'too much' })
  expect(await refused).toBe('outOfMemory')
  expect(thread.isTerminated).toBe(false)
})

test('progress is a sign of life', async () => {
  const { timer, threads, executor } = setUp()
  const thread = await threads.nextReady(gpu)
  const answer = executor.execute(program, input())
  const { call } = await thread.take('execute')
  for (let permille = 0; permille < 1000; permille += 100) {
    timer.advance(20_000)
    thread.answer({ kind: 'progressed', call, permille })
  }
  thread.answer({ kind: 'executed', call, output: new ArrayBuffer(4), kept: new Map() })
  expect((await answer).output.length).toBe(4)
  expect(thread.isTerminated).toBe(false)
})

test('an abort is passed on; a thread that ignores it is ended', async () => {
  const { timer, threads, executor } = setUp()
  const thread = await threads.nextReady(gpu)
  for (const obeys of [true, false]) {
    const controller = new AbortController()
    const answer = kindOf(executor.execute(program, input(), { signal: controller.signal }))
    const { call } = await thread.take('execute')
    controller.abort()
    expect((await thread.take('abort')).call).toBe(call)
    // Words about progress do not buy time any more.
    thread.answer({ kind: 'progressed', call, permille: 10 })
    if (obeys) thread.answer({ kind: 'failed', call, error: 'aborted', message: 'the caller aborted' })
    else timer.advance(5_000)
    expect(await answer).toBe(obeys ? 'aborted' : 'deviceLost')
    expect(thread.isTerminated).toBe(!obeys)
  }
})

test('a signal that was aborted before is never sent', async () => {
  const { threads, executor } = setUp()
  const thread = await threads.nextReady(gpu)
  expect(await kindOf(executor.execute(program, input(), { signal: AbortSignal.abort() }))).toBe('aborted')
  expect(thread.requests.map(({ kind }) => kind)).toEqual(['open', 'measure'])
})

test('a refusal of the device is the answer, and the thread stays', async () => {
  const { threads, executor } = setUp()
  const thread = await threads.nextReady(gpu)
  const answer = kindOf(executor.execute(program, input()))
  const { call } = await thread.take('execute')
  thread.answer({ kind: 'failed', call, error: 'outOfMemory', message: 'too much' })
  expect(await answer).toBe('outOfMemory')
  expect(thread.isTerminated).toBe(false)
})

test('a lost GPU ends its thread; after two losses in a row the CPU takes over with the reason', async () => {
  const { threads, channel, executor } = setUp()
  for (let loss = 0; loss < 2; loss++) {
    const thread = await threads.nextReady(gpu)
    const answer = kindOf(executor.execute(program, input()))
    const { call } = await thread.take('execute')
    thread.answer({ kind: 'failed', call, error: 'deviceLost', message: 'it was lost' })
    expect(await answer).toBe('deviceLost')
    expect(thread.isTerminated).toBe(true)
  }
  const last = await threads.next()
  const { call, without } = await last.take('open')
  expect(without).toEqual({ kind: 'failed', message: 'it was lost' })
  last.answer({ kind: 'opened', call, device: cpu })
  last.answer({
    kind: 'measured',
    call: (await last.take('measure')).call,
    operationsPerSecond: 1e6,
    stableBytes: 0,
  })
  expect((await until(channel, 'ready')).device).toEqual(cpu)
})

test('a thread that hangs while it opens is replaced, and one that never works is explained', async () => {
  const { timer, threads, channel, executor } = setUp()
  for (let attempt = 0; attempt < 2; attempt++) {
    await (await threads.next()).take('open')
    timer.advance(60_000)
  }
  for (let attempt = 0; attempt < 3; attempt++) (await threads.next()).fail('boom')
  expect((await until(channel, 'failed')).message).toBe('the compute worker failed: boom')
  expect(await kindOf(executor.execute(program, input()))).toBe('deviceLost')
  expect(threads.started).toBe(5)
})

test('a script that cannot be started is explained', async () => {
  const timer = createManualTimer()
  const startThread = () => {
    throw new Error('blocked by the content security policy')
  }
  const channel = openChannel({ startThread, after: timer.after }, undefined)
  expect((await until(channel, 'failed')).message).toContain('blocked by the content security policy')
})

test('an answer of another kind, or to no call at all, does no harm', async () => {
  const { threads, executor } = setUp()
  const thread = await threads.nextReady(gpu)
  const answer = kindOf(executor.execute(program, input()))
  const { call } = await thread.take('execute')
  thread.answer({ kind: 'executed', call: call + 7, output: new ArrayBuffer(4), kept: new Map() })
  thread.answer({ kind: 'measured', call, operationsPerSecond: 1, stableBytes: 0 })
  expect(await answer).toBe('internal')
})

test('closing ends the thread and every call, also those that wait', async () => {
  const { threads, channel, executor } = setUp()
  const waiting = kindOf(executor.execute(program, input()))
  const thread = await threads.nextReady(gpu)
  await thread.take('execute')
  channel.close()
  expect(await waiting).toBe('closed')
  expect(thread.isTerminated).toBe(true)
  expect(await kindOf(executor.execute(program, input()))).toBe('closed')
  expect(threads.started).toBe(1)
})

test('proofs are made on the thread that has the device', async () => {
  const { threads, channel } = setUp()
  const thread = await threads.nextReady(gpu)
  await until(channel, 'ready')
  const asked = {
    kind: 'v2',
    verifierVersion: 2,
    taskId: 'a',
    seed: 1n,
    outputDigest: 'b',
    outputLength: 3,
  } as never
  const proving = channel.prover.prove([asked])
  const request = await thread.take('prove')
  expect(request.answers).toEqual([asked])
  const proof = { kind: 'v2', verifierVersion: 2, proof: new Uint8Array(256) } as const
  thread.answer({ kind: 'proven', call: request.call, proofs: [proof] })
  expect(await proving).toEqual([proof])
})

test('so are those of blocks, however long one takes', async () => {
  const { threads, channel, timer } = setUp()
  const thread = await threads.nextReady(gpu)
  await until(channel, 'ready')
  const summing = channel.blockProver.sums({ m: 1 } as never, new Uint8Array(2), {
    tileRow: 0,
    tileColumn: 0,
  })
  const sums = await thread.take('commitSums')
  thread.answer({ kind: 'committed', call: sums.call, sums: [5n] })
  expect(await summing).toEqual([5n])
  const proving = channel.blockProver.prove({ verifierVersion: 3 } as never)
  const block = await thread.take('proveBlock')
  timer.advance(200_000)
  const proof = { kind: 'v3', verifierVersion: 3, proof: new Uint8Array(256) } as const
  thread.answer({ kind: 'blockProven', call: block.call, proof })
  expect(await proving).toEqual(proof)
})

test('what is executed behind a proof of a block waits for it, and is not taken for hung', async () => {
  const { threads, channel, executor, timer } = setUp()
  const thread = await threads.nextReady(gpu)
  await until(channel, 'ready')
  const proving = channel.blockProver.prove({ verifierVersion: 3 } as never)
  const block = await thread.take('proveBlock')
  const executing = executor.execute(program, input())
  const request = await thread.take('execute')
  timer.advance(100_000)
  const proof = { kind: 'v3', verifierVersion: 3, proof: new Uint8Array(256) } as const
  thread.answer({ kind: 'blockProven', call: block.call, proof })
  thread.answer({ kind: 'executed', call: request.call, output: new ArrayBuffer(4), kept: new Map() })
  expect(await proving).toEqual(proof)
  expect((await executing).output).toHaveLength(4)
})
