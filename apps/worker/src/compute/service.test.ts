import { expect, test } from 'bun:test'
import { ComputeError, type ComputeErrorKind, createCpuExecutor, type Executor } from '@shardy/compute'
import { matmulProgram, noBlobs, type Program } from '@shardy/tensor'
import { cpu, gpu } from '../../test/thread.ts'
import type { Answer, Device } from './message.ts'
import { createService, type Provers } from './service.ts'

const nothingMore = { blobs: noBlobs, keep: [] }
const program: Program = matmulProgram({ m: 1, k: 2, n: 1 })

const nobody = () => Promise.reject(new Error('no proofs'))
const nobodyProves: Provers = {
  answers: { kinds: [], prove: nobody },
  blocks: { kinds: [], sums: nobody, prove: nobody },
}

function serve(executor: Executor, device: Device = cpu, openProvers = async () => nobodyProves) {
  const answers: Answer[] = []
  let nowMs = 0
  const service = createService({
    open: async () => ({ device, executor }),
    openProvers,
    post: (answer) => answers.push(answer),
    nowMs: () => ++nowMs,
  })
  return { service, answers }
}

function executorThat(execute: Executor['execute']): Executor {
  return { name: 'cpu', adapter: 'for a test', execute, close: async () => {} }
}

test('opens, measures and executes', async () => {
  const { service, answers } = serve(createCpuExecutor())
  await service.receive({ kind: 'open', call: 1, without: undefined })
  await service.receive({
    kind: 'execute',
    call: 2,
    program,
    input: Uint8Array.of(1, 2, 3, 4).buffer,
    ...nothingMore,
  })
  expect(answers[0]).toEqual({ kind: 'opened', call: 1, device: cpu })
  expect(answers.at(-1)).toEqual({
    kind: 'executed',
    call: 2,
    output: Uint8Array.of(11, 0, 0, 0).buffer,
    kept: new Map(),
  })
})

test.each([
  ['a GPU', gpu, 2 ** 30],
  ['a GPU that is imitated', { ...gpu, isSoftware: true }, 2 ** 26],
  ['a CPU', cpu, 2 ** 26],
])('measures the memory of %s beside its speed', async (_, device, stableBytes) => {
  const tried: number[] = []
  const executor: Executor = {
    ...executorThat(async () => ({ output: new Uint8Array(), kept: new Map() })),
    tryMemory: async (bytes) => void tried.push(bytes),
  }
  const { service, answers } = serve(executor, device)
  await service.receive({ kind: 'open', call: 1, without: undefined })
  await service.receive({ kind: 'measure', call: 2 })
  expect(answers.at(-1)).toMatchObject({ kind: 'measured', call: 2, stableBytes })
  expect(Math.max(...tried)).toBe(stableBytes)
})

test('tries memory where the executor can, and says so where it cannot', async () => {
  const able = serve(createCpuExecutor())
  await able.service.receive({ kind: 'open', call: 1, without: undefined })
  await able.service.receive({ kind: 'tryMemory', call: 2, bytes: 4_096 })
  expect(able.answers.at(-1)).toMatchObject({ kind: 'executed', call: 2 })
  const unable = serve(executorThat(() => Promise.reject(new Error('not asked for'))))
  await unable.service.receive({ kind: 'open', call: 1, without: undefined })
  await unable.service.receive({ kind: 'tryMemory', call: 2, bytes: 4_096 })
  expect(unable.answers.at(-1)).toMatchObject({ kind: 'failed', call: 2, message: 'no memory to try here' })
})

test('work before a device is open is refused', async () => {
  const { service, answers } = serve(createCpuExecutor())
  await service.receive({ kind: 'execute', call: 1, program, input: new ArrayBuffer(4), ...nothingMore })
  expect(answers).toEqual([{ kind: 'failed', call: 1, error: 'closed', message: 'no device is open yet' }])
})

test.each([
  ['a failure of the device', () => new ComputeError('outOfMemory', 'too much'), 'outOfMemory', 'too much'],
  ['a bug', () => new TypeError('a bug'), 'internal', 'a bug'],
  ['what is no error', () => 'a text', 'internal', 'a text'],
] satisfies [string, () => unknown, string, string][])(
  '%s is told by its kind',
  async (_, thrown, error, message) => {
    const { service, answers } = serve(executorThat(() => Promise.reject(thrown())))
    await service.receive({ kind: 'open', call: 1, without: undefined })
    await service.receive({ kind: 'execute', call: 2, program, input: new ArrayBuffer(4), ...nothingMore })
    expect(answers.at(-1)).toEqual({ kind: 'failed', call: 2, error: error as ComputeErrorKind, message })
  },
)

test('an output inside a larger buffer is cut out before it is transferred', async () => {
  const { service, answers } = serve(
    executorThat(async () => ({
      output: Uint8Array.of(9, 1, 2, 9).subarray(1, 3),
      kept: new Map([[2, Uint8Array.of(8, 5).subarray(1)]]),
    })),
  )
  await service.receive({ kind: 'open', call: 1, without: undefined })
  await service.receive({ kind: 'execute', call: 2, program, input: new ArrayBuffer(4), ...nothingMore })
  expect(answers.at(-1)).toEqual({
    kind: 'executed',
    call: 2,
    output: Uint8Array.of(1, 2).buffer,
    kept: new Map([[2, Uint8Array.of(5).buffer]]),
  })
})

test('an abort reaches the execution that it names', async () => {
  const signals: (AbortSignal | undefined)[] = []
  const started = Promise.withResolvers<void>()
  const { service, answers } = serve(
    executorThat((_program, _input, { signal } = {}) => {
      signals.push(signal)
      started.resolve()
      return new Promise((_, reject) =>
        signal?.addEventListener('abort', () => reject(new ComputeError('aborted', 'the caller aborted'))),
      )
    }),
  )
  await service.receive({ kind: 'open', call: 1, without: undefined })
  const execution = service.receive({
    kind: 'execute',
    call: 2,
    program,
    input: new ArrayBuffer(4),
    ...nothingMore,
  })
  await started.promise
  await service.receive({ kind: 'abort', call: 99 })
  expect(signals[0]?.aborted).toBe(false)
  await service.receive({ kind: 'abort', call: 2 })
  await execution
  expect(answers.at(-1)).toMatchObject({ kind: 'failed', call: 2, error: 'aborted' })
})

test('proofs are made by one prover, opened again when it could not be', async () => {
  let opened = 0
  const made = { kind: 'v2', verifierVersion: 2, proof: new Uint8Array(256) } as const
  const { service, answers } = serve(createCpuExecutor(), cpu, async () => {
    if (opened++ === 0) throw new Error('no line')
    return { ...nobodyProves, answers: { kinds: ['v2'], prove: async (asked) => asked.map(() => made) } }
  })
  const answer = { ...made, taskId: '', seed: 0n, outputDigest: '', outputLength: 1 } as never
  for (const call of [1, 2, 3]) await service.receive({ kind: 'prove', call, answers: [answer, answer] })
  expect(answers).toMatchObject([
    { kind: 'failed', call: 1, message: 'no line' },
    { kind: 'proven', call: 2, proofs: [made, made] },
    { kind: 'proven', call: 3 },
  ])
  expect(opened).toBe(2)
})

test('sums are committed to and blocks proven by the other one', async () => {
  const asked: unknown[] = []
  const made = { kind: 'v3', verifierVersion: 3, proof: new Uint8Array(256) } as const
  const { service, answers } = serve(createCpuExecutor(), cpu, async () => ({
    ...nobodyProves,
    blocks: {
      kinds: ['v3'],
      sums: async (...about) => [BigInt(asked.push(about))],
      prove: async (block) => {
        asked.push(block)
        return made
      },
    },
  }))
  const [product, input, tile, block] = [
    { m: 1 },
    new Uint8Array(3),
    { tileRow: 1 },
    { verifierVersion: 3 },
  ] as never[]
  await service.receive({ kind: 'commitSums', call: 1, product, input, tile } as never)
  await service.receive({ kind: 'proveBlock', call: 2, block } as never)
  expect(answers).toEqual([
    { kind: 'committed', call: 1, sums: [1n] },
    { kind: 'blockProven', call: 2, proof: made },
  ])
  expect(asked).toEqual([[product, input, tile], block])
})
