/** What a device keeps from program to program, and what it must not: weights, buffers, and the bytes of others. */
import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createHash } from 'node:crypto'
import type { Digest } from '@shardy/protocol'
import {
  evaluate,
  evaluateValues,
  inputLength,
  type Program,
  parseProgram,
  tensorBytes,
} from '@shardy/tensor'
import { findGpu } from '../dawn.ts'
import type { Executor } from '../executor.ts'
import { createWebGpuExecutor, type WebGpuOptions } from './executor.ts'
import { requiredFeatures, requiredLimits } from './limits.ts'

// Every test opens a device, which compiles its kernels anew: on a software adapter half a second for each.
setDefaultTimeout(60_000)
const gpu = await findGpu({ allowSoftware: true })

/** A device that notes the bytes of each upload to a storage buffer, and which buffers live. */
async function openWatched(gpu: GPU, options: WebGpuOptions = {}) {
  const adapter = await gpu.requestAdapter()
  if (adapter === null) throw new Error('the adapter has gone')
  const device = await adapter.requestDevice({
    requiredLimits: requiredLimits(adapter.limits),
    requiredFeatures: requiredFeatures(adapter.features),
  })
  const uploads: number[] = []
  const live = new Set<GPUBuffer>()
  const createBuffer = device.createBuffer.bind(device)
  Object.defineProperty(device, 'createBuffer', {
    configurable: true,
    value(descriptor: GPUBufferDescriptor) {
      const buffer = createBuffer(descriptor)
      live.add(buffer)
      const destroy = buffer.destroy.bind(buffer)
      Object.defineProperty(buffer, 'destroy', {
        value() {
          live.delete(buffer)
          destroy()
        },
      })
      return buffer
    },
  })
  const { queue } = device
  const writeBuffer = queue.writeBuffer.bind(queue) as (...given: unknown[]) => void
  Object.defineProperty(queue, 'writeBuffer', {
    value(buffer: GPUBuffer, offset: number, data: Uint8Array, from?: number, size?: number) {
      if (buffer.label !== 'params') uploads.push(size ?? data.byteLength)
      writeBuffer(buffer, offset, data, ...(size === undefined ? [] : [from, size]))
    },
  })
  const executor = await createWebGpuExecutor(device, 'test', { isSoftware: true, ...options })
  const kept = () =>
    [...live].filter(({ label }) => label === 'kept').reduce((sum, { size }) => sum + size, 0)
  return { device, executor, uploads, live, kept }
}

function parsed(program: object): Program {
  const found = parseProgram(program)
  if (!found.ok) throw new Error(JSON.stringify(found.refusal))
  return found.value
}

function blobOf(bytes: Uint8Array): [Digest, Uint8Array] {
  return [createHash('sha256').update(bytes).digest('hex') as Digest, bytes]
}

/** A layer: rows of 32 against weights that a blob holds. */
function layer(weights: Uint8Array) {
  const [digest, blob] = blobOf(weights)
  const program = parsed({
    inputs: [{ dtype: 'i8', shape: [2, 32] }],
    constants: [{ type: { dtype: 'i8', shape: [32, 16] }, digest }],
    nodes: [
      { op: 'matmul', a: 0, b: 1, transposeB: false },
      { op: 'requantize', x: 2, multiplier: 77, shift: 12, zeroPoint: 1, to: 'i8' },
    ],
    outputs: [3],
  })
  return { program, blobs: new Map([[digest, blob]]) }
}

const weightsOf = (seed: number) => Uint8Array.from({ length: 512 }, (_, index) => (index * seed) % 251)
const rows = Uint8Array.from({ length: 64 }, (_, index) => 7 * index)

async function runLayer(executor: Executor, weights: Uint8Array): Promise<void> {
  const { program, blobs } = layer(weights)
  const { output } = await executor.execute(program, rows, { blobs })
  expect(output).toEqual(evaluate(program, rows, blobs))
}

if ('refusal' in gpu) {
  test.skip(`the WebGPU executor (${gpu.refusal.message})`, () => {})
} else {
  const software = (await gpu.requestAdapter())?.info.isFallbackAdapter === true

  describe('weights', () => {
    test('are uploaded once, however often they are used', async () => {
      const { executor, uploads } = await openWatched(gpu)
      await runLayer(executor, weightsOf(3))
      expect(uploads.toSorted()).toEqual([512, 64])
      await runLayer(executor, weightsOf(3))
      await runLayer(executor, weightsOf(3))
      expect(uploads.toSorted()).toEqual([512, 64, 64, 64])
      await executor.close()
    })

    test('of other blobs are other weights', async () => {
      const { executor } = await openWatched(gpu)
      for (const seed of [3, 5, 3, 7, 5]) await runLayer(executor, weightsOf(seed))
      await executor.close()
    })

    test('leave when the budget is spent, those first that were used longest ago', async () => {
      const first = await openWatched(gpu)
      await runLayer(first.executor, weightsOf(3))
      const each = first.kept()
      await first.executor.close()

      const { executor, uploads, kept } = await openWatched(gpu, { keptBytesMax: 2 * each })
      for (const seed of [3, 5, 3, 7, 3]) await runLayer(executor, weightsOf(seed))
      expect(kept()).toBe(2 * each)
      const before = uploads.length
      await runLayer(executor, weightsOf(3))
      expect(uploads.slice(before)).toEqual([64])
      await runLayer(executor, weightsOf(5))
      expect(uploads.slice(before + 1).toSorted()).toEqual([512, 64])
      await executor.close()
    })

    test('beyond the budget serve their own program all the same', async () => {
      const { executor } = await openWatched(gpu, { keptBytesMax: 0 })
      for (const seed of [3, 5, 3]) await runLayer(executor, weightsOf(seed))
      await executor.close()
    })

    test('that an abort left without content are not taken for weights later', async () => {
      const { executor } = await openWatched(gpu)
      const { program, blobs } = layer(weightsOf(3))
      const [digest] = blobs.keys()
      // A convolution of more than one slice, and only then the product that packs the weights.
      const groups = { strideH: 1, strideW: 1, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1 }
      const late = parsed({
        inputs: [
          { dtype: 'i8', shape: [1, 96, 96, 8] },
          { dtype: 'i8', shape: [8, 3, 3, 4] },
          { dtype: 'i8', shape: [2, 32] },
        ],
        constants: [{ type: { dtype: 'i8', shape: [32, 16] }, digest }],
        nodes: [
          { op: 'conv2d', x: 0, w: 1, ...groups, dilationH: 1, dilationW: 1, groups: 2, padValue: 0 },
          { op: 'matmul', a: 2, b: 3, transposeB: false },
        ],
        outputs: [4, 5],
      })
      const controller = new AbortController()
      const seen: number[] = []
      const onProgress = (permille: number) => {
        seen.push(permille)
        controller.abort()
      }
      const { signal } = controller
      const input = new Uint8Array(inputLength(late))
      const aborted = executor.execute(late, input, { blobs, signal, onProgress })
      expect(await aborted.catch((thrown) => thrown)).toMatchObject({ kind: 'aborted' })
      expect(seen).toHaveLength(1)
      expect(seen[0]).toBeLessThan(1000)
      expect((await executor.execute(program, rows, { blobs })).output).toEqual(
        evaluate(program, rows, blobs),
      )
      await executor.close()
    })

    test('of a program whose blob is missing are refused', async () => {
      const { executor } = await openWatched(gpu)
      const { program } = layer(weightsOf(3))
      const thrown = await executor.execute(program, rows).catch((error) => error)
      expect(thrown).toMatchObject({ kind: 'inputRefused' })
      await executor.close()
    })
  })

  describe('buffers', () => {
    const pool = { windowH: 1, windowW: 2, strideH: 1, strideW: 1 }
    const unpadded = { padTop: 0, padLeft: 0, padBottom: 0, padRight: 0 }
    /** Bytes and sums in turn, and rows of odd length. */
    const chain = (size: number) =>
      parsed({
        inputs: [{ dtype: 'u8', shape: [size] }],
        nodes: [
          { op: 'add', x: 0, y: 0 },
          { op: 'transpose', x: 1, permutation: [0] },
          { op: 'clamp', x: 2, min: 0, max: 255 },
          { op: 'convert', x: 3, to: 'u8' },
          { op: 'reshape', x: 4, shape: [1, 1, size, 1] },
          { op: 'maxPool', x: 5, ...pool, ...unpadded },
        ],
        outputs: [4, 6],
      })

    test('of large programs show nothing of themselves to small ones', async () => {
      const { executor } = await openWatched(gpu)
      for (const size of [9001, 3, 1, 4099, 6, 5, 2000]) {
        const program = chain(Math.max(2, size))
        const input = new Uint8Array(Math.max(2, size)).map((_, index) => 255 - (index % 3))
        const tensors = evaluateValues(program, input)
        const keep = [...tensors.keys()]
        const { output, kept } = await executor.execute(program, input, { keep })
        expect(output).toEqual(evaluate(program, input))
        for (const value of keep)
          expect(kept.get(value)).toEqual(tensorBytes(tensors[value] ?? { data: input }).slice())
      }
      await executor.close()
    })

    test('are taken again by a program of about the same size', async () => {
      const { executor, live } = await openWatched(gpu)
      const run = (size: number) => executor.execute(chain(size), new Uint8Array(size))
      await run(3000)
      const before = [...live].filter(({ label }) => label === 'slot').length
      await run(2500)
      await run(3000)
      expect([...live].filter(({ label }) => label === 'slot')).toHaveLength(before)
      await executor.close()
    })

    test('are all gone after closing', async () => {
      const { executor, live } = await openWatched(gpu)
      await runLayer(executor, weightsOf(3))
      await executor.close()
      expect([...live].map(({ label }) => label)).toEqual([])
    })
  })

  test('a program that is aborted, one that is refused and one that is too large leave the next one whole', async () => {
    const { executor, device } = await openWatched(gpu)
    const { program, blobs } = layer(weightsOf(9))
    const signal = AbortSignal.abort()
    const kinds = await Promise.all(
      [
        executor.execute(program, rows, { blobs, signal }),
        executor.execute(program, new Uint8Array(3), { blobs }),
        executor.execute(program, rows, { blobs, keep: [99] }),
        executor.execute(program, rows, { blobs }).then(() => ({ kind: 'none' })),
      ].map((answer) => answer.catch((thrown) => thrown)),
    )
    expect(kinds.map(({ kind }) => kind)).toEqual(['aborted', 'inputRefused', 'programRefused', 'none'])
    await runLayer(executor, weightsOf(9))
    device.destroy()
    await device.lost
    const lost = await executor.execute(program, rows, { blobs }).catch((thrown) => thrown)
    expect(lost).toMatchObject({ kind: 'deviceLost' })
    await executor.close()
  })

  // A real GPU may well have as much as its limit states.
  test.skipIf(!software)(
    'memory that earlier programs hold is given up when the device has no more',
    async () => {
      const { executor, device } = await openWatched(gpu)
      await runLayer(executor, weightsOf(3))
      // The next allocation fails once, as a full device's would.
      const createBuffer = device.createBuffer.bind(device)
      let failures = 1
      Object.defineProperty(device, 'createBuffer', {
        value(descriptor: GPUBufferDescriptor) {
          if (descriptor.label !== 'slot' || failures-- <= 0) return createBuffer(descriptor)
          return createBuffer({ ...descriptor, size: device.limits.maxBufferSize })
        },
      })
      const program = parsed({
        inputs: [{ dtype: 'i8', shape: [100_000] }],
        nodes: [{ op: 'relu', x: 0 }],
        outputs: [1],
      })
      const input = new Uint8Array(100_000).fill(200)
      const { output } = await executor.execute(program, input)
      expect(output).toEqual(new Uint8Array(100_000))
      expect(failures).toBeLessThan(0)
      await executor.close()
    },
  )
}
