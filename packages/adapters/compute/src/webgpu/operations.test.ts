/**
 * The WebGPU executor against the reference, bit for bit: golden vectors, each operation on random operands and extremes,
 * whole programs with every value kept, and the same on limits so small that everything is split.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Digest, encodeHex } from '@shardy/protocol'
import {
  type Blobs,
  createEntries,
  decodeProgram,
  evaluateValues,
  joinOutputs,
  type OperationName,
  operationNames,
  type Program,
  parseProgram,
  sizeOf,
  tensorBytes,
} from '@shardy/tensor'
import {
  arbitraryLayers,
  arbitraryProgram,
  type DrawnProgram,
  exampleNames,
  exampleProgram,
} from '@shardy/tensor/testing'
import fc, { type Arbitrary } from 'fast-check'
import { findGpu } from '../dawn.ts'
import type { Executor } from '../executor.ts'
import { createWebGpuExecutor } from './executor.ts'
import { requiredFeatures, requiredLimits } from './limits.ts'
import { isSoftware } from './open.ts'

const gpu = await findGpu({ allowSoftware: true })

async function openExecutor(gpu: GPU, smaller: object = {}): Promise<Executor> {
  const adapter = await gpu.requestAdapter()
  if (adapter === null) throw new Error('the adapter has gone')
  const device = await adapter.requestDevice({
    requiredLimits: requiredLimits(adapter.limits),
    requiredFeatures: requiredFeatures(adapter.features),
  })
  const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = device.limits
  return await createWebGpuExecutor(device, 'test', {
    languageFeatures: gpu.wgslLanguageFeatures,
    info: adapter.info,
    isSoftware: isSoftware(adapter.info),
    limits: { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage, ...smaller },
  })
}

function expectBytes(name: string | number, actual: Uint8Array | undefined, expected: Uint8Array): void {
  if (actual !== undefined && Buffer.compare(actual, expected) === 0) return
  const at = expected.findIndex((byte, index) => byte !== actual?.[index])
  throw new Error(
    `${name}: byte ${at} of ${actual?.length} is ${actual?.[at]}, expected ${expected[at]} of ${expected.length}`,
  )
}

async function agree(executor: Executor, { program, input, blobs }: DrawnProgram, keepsAll: boolean) {
  const tensors = evaluateValues(program, input, blobs)
  const keep = keepsAll ? [...tensors.keys()] : []
  const { output, kept } = await executor.execute(program, input, { blobs, keep })
  for (const [index, tensor] of tensors.entries()) {
    if (keepsAll) expectBytes(`value ${index}`, kept.get(index), tensorBytes(tensor))
  }
  expectBytes('output', output, joinOutputs(program, tensors))
}

async function always(executor: Executor, drawn: Arbitrary<DrawnProgram>, numRuns: number, keepsAll = false) {
  await fc.assert(
    fc.asyncProperty(drawn, (one) => agree(executor, one, keepsAll)),
    { numRuns },
  )
}

/** Entries spread over what each input declares, the same in every run. */
function scattered({ inputs }: Program): Uint8Array {
  let state = 0x9e3779b9
  const parts = inputs.map(({ dtype, shape, min, max }) => {
    const data = createEntries(dtype, sizeOf(shape))
    for (let index = 0; index < data.length; index++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
      data[index] = min + Math.floor(((state >>> 0) / 2 ** 32) * (max - min + 1))
    }
    return tensorBytes({ data })
  })
  return Buffer.concat(parts)
}

/** A program of one node over inputs of these types. */
function single(inputs: readonly object[], node: object): DrawnProgram {
  const parsed = parseProgram({ inputs, nodes: [node], outputs: [inputs.length] })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal))
  return { program: parsed.value, input: scattered(parsed.value), blobs: new Map() }
}

const i8 = (...shape: number[]) => ({ dtype: 'i8', shape })
const u8 = (...shape: number[]) => ({ dtype: 'u8', shape })
const i32 = (...shape: number[]) => ({ dtype: 'i32', shape })
const u32 = (...shape: number[]) => ({ dtype: 'u32', shape })
const unpadded = { padTop: 0, padLeft: 0, padBottom: 0, padRight: 0 }

/** Where kernels change their ways: long rows, large windows, many runs, long series. */
const large: readonly (readonly [name: string, drawn: DrawnProgram, bindingBytesMin?: number])[] = [
  ['argmax of rows of three stretches', single([i8(3, 9001)], { op: 'argmax', x: 0 }), 8192],
  ['argmax of u32', single([u32(2, 5003)], { op: 'argmax', x: 0 }), 8192],
  ['topK of all', single([i8(3, 1020)], { op: 'topK', x: 0, k: 1020, result: 'indices' }), 16384],
  ['topK of few', single([u32(5, 901)], { op: 'topK', x: 0, k: 7, result: 'values' }), 16384],
  ['topK of bytes', single([u8(7, 515)], { op: 'topK', x: 0, k: 33, result: 'values' }), 16384],
  ['topK of one entry', single([i32(9, 1)], { op: 'topK', x: 0, k: 1, result: 'indices' })],
  ['transpose', single([i8(33, 65, 7)], { op: 'transpose', x: 0, permutation: [1, 2, 0] })],
  ['transpose of words', single([i8(5, 9, 3, 8)], { op: 'transpose', x: 0, permutation: [0, 2, 1, 3] })],
  [
    'gather of words',
    single([i8(4, 12), { ...u8(37), min: 0, max: 3 }], { op: 'gather', table: 0, indices: 1 }),
  ],
  [
    'concat of twelve',
    single(
      Array.from({ length: 12 }, (_, index) => i8(3, 1 + index, 5)),
      { op: 'concat', xs: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], axis: 1 },
    ),
  ],
  [
    'concat of words',
    single(
      Array.from({ length: 9 }, (_, index) => u8(3, 4 + 4 * index)),
      { op: 'concat', xs: [0, 1, 2, 3, 4, 5, 6, 7, 8], axis: 1 },
    ),
  ],
  [
    'maxPool of a large window',
    single([u32(1, 80, 90, 2)], {
      op: 'maxPool',
      x: 0,
      windowH: 70,
      windowW: 71,
      strideH: 3,
      strideW: 4,
      ...unpadded,
      padTop: 5,
      padRight: 60,
    }),
    8192,
  ],
  [
    'averagePool of a large window',
    single([i8(2, 80, 90, 1)], {
      op: 'averagePool',
      x: 0,
      windowH: 70,
      windowW: 71,
      strideH: 3,
      strideW: 4,
      padTop: 5,
      padLeft: 9,
      padBottom: 69,
      padRight: 60,
    }),
  ],
  ['ema of many series', single([i8(21, 307)], { op: 'ema', x: 0, alpha: 12_345, fraction: 5 })],
  [
    'ema of a long series',
    single([{ ...i32(3001, 3), min: -(2 ** 22), max: 2 ** 22 }], {
      op: 'ema',
      x: 0,
      alpha: 65_535,
      fraction: 8,
    }),
    8192,
  ],
  [
    'conv2d',
    single([u8(2, 19, 17, 5), i8(7, 3, 2, 5)], {
      op: 'conv2d',
      x: 0,
      w: 1,
      strideH: 2,
      strideW: 1,
      padTop: 1,
      padLeft: 2,
      padBottom: 3,
      padRight: 0,
      dilationH: 2,
      dilationW: 3,
      groups: 1,
      padValue: 77,
    }),
  ],
  [
    'conv2d in groups',
    single([i8(2, 13, 9, 6), i8(9, 3, 3, 2)], {
      op: 'conv2d',
      x: 0,
      w: 1,
      strideH: 1,
      strideW: 2,
      padTop: 1,
      padLeft: 1,
      padBottom: 1,
      padRight: 1,
      dilationH: 1,
      dilationW: 1,
      groups: 3,
      padValue: -7,
    }),
  ],
  [
    'conv2d of single pixels',
    single([i8(3, 7, 9, 11), i8(6, 1, 1, 11)], {
      op: 'conv2d',
      x: 0,
      w: 1,
      strideH: 1,
      strideW: 1,
      ...unpadded,
      dilationH: 1,
      dilationW: 1,
      groups: 1,
      padValue: 0,
    }),
  ],
  [
    'matmul in a batch',
    single([u8(3, 2, 37, 65), i8(3, 2, 29, 65)], { op: 'matmul', a: 0, b: 1, transposeB: true }),
  ],
  ['add with a broadcast', single([u8(5, 6, 7, 9), i8(6, 1, 9)], { op: 'add', x: 0, y: 1 })],
]

if ('refusal' in gpu) {
  test.skip(`operations on WebGPU (${gpu.refusal.message})`, () => {})
} else {
  const executor = await openExecutor(gpu)
  const smallest = 2048
  const small = new Map<number, Executor>()
  for (const maxStorageBufferBindingSize of [smallest, 8192, 16_384]) {
    small.set(maxStorageBufferBindingSize, await openExecutor(gpu, { maxStorageBufferBindingSize }))
  }
  const smallFor = (bytes: number): Executor => {
    const found = small.get(bytes)
    if (found === undefined) throw new Error(`no executor has bindings of ${bytes} bytes`)
    return found
  }
  afterAll(async () => {
    for (const opened of [executor, ...small.values()]) await opened.close()
  })

  describe('golden vectors', () => {
    const folder = join(import.meta.dir, '../../../../../vectors/tensor')
    for (const file of readdirSync(folder).filter(
      (name) => name.endsWith('.json') && name !== 'refused.json' && name !== 'matmul.json',
    )) {
      test(file, async () => {
        for (const one of JSON.parse(readFileSync(join(folder, file), 'utf8')).cases) {
          const decoded = decodeProgram(Uint8Array.fromHex(one.program))
          if (!decoded.ok) throw new Error(decoded.refusal.kind)
          const blobs: Blobs = new Map(
            one.blobs.map((hex: string) => {
              const bytes = Uint8Array.fromHex(hex)
              return [createHash('sha256').update(bytes).digest('hex') as Digest, bytes]
            }),
          )
          const { output } = await executor.execute(decoded.value, Uint8Array.fromHex(one.input), { blobs })
          expect([one.name, encodeHex(output)]).toEqual([one.name, one.output])
        }
      }, 60_000)
    }
  })

  describe('each operation alone', () => {
    for (const op of operationNames) {
      test(
        op,
        () => always(executor, arbitraryProgram({ nodesMax: 1, among: [op as OperationName] }), 15),
        60_000,
      )
    }
  })

  describe('where kernels change their ways', () => {
    for (const [name, one] of large) test(name, () => agree(executor, one, false), 60_000)
  })

  describe('example programs', () => {
    for (const name of exampleNames) {
      test(name, async () => {
        for (const keepsAll of [true, false, false]) await agree(executor, exampleProgram(name), keepsAll)
      }, 60_000)
    }
  })

  describe('random programs', () => {
    test('of any operations, all values kept', () => always(executor, arbitraryProgram(), 10, true), 120_000)
    test('of any operations', () => always(executor, arbitraryProgram(), 20), 120_000)
    test('of layers', () => always(executor, arbitraryLayers(), 10), 120_000)
    test('of layers, all values kept', () => always(executor, arbitraryLayers(), 5, true), 120_000)
  })

  describe('small bindings', () => {
    for (const [name, one, bytes = smallest] of large) {
      test(`${name}, ${bytes} bytes`, () => agree(smallFor(bytes), one, false), 60_000)
    }
    test('random programs', () => always(smallFor(smallest), arbitraryProgram(), 10), 120_000)
    test('random layers', () => always(smallFor(16_384), arbitraryLayers(), 5), 120_000)
  })
}
