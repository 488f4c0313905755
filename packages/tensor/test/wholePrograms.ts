/** Programs of the kinds that people run, at the size of a page: a perceptron, a convolutional net, an attention block. */
import { type Digest, encodeHex } from '@shardy/protocol'
import type { Node } from '../src/operations/index.ts'
import { type Constant, type Program, type TensorType, tensorType } from '../src/program/program.ts'
import { type Dtype, dtypeFacts, type Shape, sizeOf, tensorBytes } from '../src/tensor.ts'
import type { Range } from '../src/value.ts'
import { tensor } from './alone.ts'
import type { DrawnProgram } from './drawProgram.ts'
import { sha256 } from './sha256.ts'

export interface WholeProgram {
  readonly name: string
  readonly drawn: DrawnProgram
}

/** Numbers that look like weights: steps by the golden section through the range. */
function spread({ dtype, shape, min, max }: TensorType, start: number): Uint8Array {
  const width = max - min + 1
  const step = Math.floor(0.618 * width) | 1
  const entries = Array.from({ length: sizeOf(shape) }, (_, index) => min + ((start + index * step) % width))
  return tensorBytes(tensor(dtype, shape, entries))
}

interface Parts {
  readonly inputs: readonly TensorType[]
  readonly constants: readonly {
    readonly type: TensorType
    readonly bytes: Uint8Array
    readonly isBlob?: boolean
  }[]
  readonly nodes: readonly Node[]
  readonly outputs: readonly number[]
}

function whole(name: string, { inputs, constants, nodes, outputs }: Parts): WholeProgram {
  const blobs = new Map<Digest, Uint8Array>()
  const placed = constants.map(({ type, bytes, isBlob }): Constant => {
    if (isBlob !== true) return { type, data: bytes }
    const digest = encodeHex(sha256(bytes)) as Digest
    blobs.set(digest, bytes)
    return { type, digest }
  })
  const program: Program = { inputs, constants: placed, nodes, outputs }
  const input = Buffer.concat(inputs.map((type) => spread(type, 37)))
  return { name, drawn: { program, input, blobs } }
}

/** No two constants of one shape hold the same. */
function weights(dtype: Dtype, shape: Shape, range: Range, { start = 5, isBlob = false } = {}) {
  const type = tensorType(dtype, shape, range)
  return { type, bytes: spread(type, start), isBlob }
}

const i8 = dtypeFacts.i8

/** Two layers over int8, the first with weights as a blob: product, bias, scale, relu. */
const perceptron = whole('perceptron of two layers', {
  inputs: [tensorType('i8', [3, 8])],
  constants: [
    weights('i8', [8, 6], i8, { isBlob: true }),
    weights('i32', [6], { min: -500, max: 500 }),
    weights('i8', [4, 6], i8),
    weights('i32', [4], { min: 2 ** 29, max: 2 ** 30 }),
    weights('u8', [4], { min: 36, max: 38 }),
  ],
  nodes: [
    { op: 'matmul', a: 0, b: 1, transposeB: false },
    { op: 'bias', x: 6, b: 2 },
    { op: 'requantize', x: 7, multiplier: 1_518_500_250, shift: 38, zeroPoint: -3, to: 'i8' },
    { op: 'relu', x: 8 },
    { op: 'matmul', a: 9, b: 3, transposeB: true },
    { op: 'requantizeChannels', x: 10, multipliers: 4, shifts: 5, zeroPoint: 0, to: 'i8' },
    { op: 'argmax', x: 11 },
    { op: 'topK', x: 11, k: 2, result: 'values' },
  ],
  outputs: [12, 13, 10],
})

const pads = { padTop: 1, padLeft: 1, padBottom: 1, padRight: 1 }

/** Convolution, depthwise convolution, both kinds of pooling, a residual sum and a lookup table. */
const convolutional = whole('convolutional net', {
  inputs: [tensorType('u8', [1, 6, 5, 2])],
  constants: [weights('i8', [4, 3, 3, 2], i8), weights('i8', [4, 3, 3, 1], i8), weights('i8', [256], i8)],
  nodes: [
    {
      op: 'conv2d',
      x: 0,
      w: 1,
      strideH: 1,
      strideW: 1,
      ...pads,
      dilationH: 1,
      dilationW: 1,
      groups: 1,
      padValue: 128,
    },
    { op: 'requantize', x: 4, multiplier: 1_234_567_890, shift: 40, zeroPoint: 5, to: 'i8' },
    {
      op: 'conv2d',
      x: 5,
      w: 2,
      strideH: 1,
      strideW: 1,
      ...pads,
      dilationH: 1,
      dilationW: 1,
      groups: 4,
      padValue: 5,
    },
    { op: 'requantize', x: 6, multiplier: -1_234_567_890, shift: 39, zeroPoint: 0, to: 'i8' },
    { op: 'add', x: 5, y: 7 },
    { op: 'requantize', x: 8, multiplier: 1, shift: 1, zeroPoint: 0, to: 'i8' },
    { op: 'lookup', x: 9, table: 3 },
    {
      op: 'maxPool',
      x: 10,
      windowH: 2,
      windowW: 2,
      strideH: 2,
      strideW: 2,
      padTop: 0,
      padLeft: 0,
      padBottom: 0,
      padRight: 1,
    },
    {
      op: 'averagePool',
      x: 11,
      windowH: 3,
      windowW: 3,
      strideH: 1,
      strideW: 1,
      padTop: 0,
      padLeft: 0,
      padBottom: 0,
      padRight: 0,
    },
    { op: 'reshape', x: 12, shape: [1, 4] },
  ],
  outputs: [13],
})

const exponential = Array.from({ length: 256 }, (_, distance) => Math.max(0, 65_535 - 257 * distance))
const small = { min: -127, max: 127 }

/** Embedding, norm, projections, rotary embedding, shares of the products, and their sum. */
const attention = whole('attention over four tokens', {
  inputs: [tensorType('u8', [4], { min: 0, max: 9 })],
  constants: [
    weights('i8', [10, 8], small, { isBlob: true }),
    weights('i32', [8], { min: 60, max: 70 }),
    weights('i8', [8, 8], small, { start: 11 }),
    weights('i8', [8, 8], small, { start: 101 }),
    weights('i32', [4, 4], { min: -128, max: 128 }, { start: 17 }),
    weights('i32', [4, 4], { min: -128, max: 128 }, { start: 71 }),
    {
      type: tensorType('u32', [256], { min: 0, max: 65_535 }),
      bytes: tensorBytes(tensor('u32', [256], exponential)),
      isBlob: true,
    },
  ],
  nodes: [
    { op: 'gather', table: 1, indices: 0 },
    { op: 'rmsNorm', x: 8, gain: 2, epsilon: 1, shift: 0 },
    { op: 'requantize', x: 9, multiplier: 1, shift: 0, zeroPoint: 0, to: 'i8' },
    { op: 'matmul', a: 10, b: 3, transposeB: true },
    { op: 'requantize', x: 11, multiplier: 1, shift: 9, zeroPoint: 0, to: 'i8' },
    { op: 'rotary', x: 12, cos: 5, sin: 6, shift: 7, interleaved: false },
    { op: 'matmul', a: 10, b: 4, transposeB: true },
    { op: 'requantize', x: 14, multiplier: 1, shift: 9, zeroPoint: 0, to: 'i8' },
    { op: 'transpose', x: 15, permutation: [1, 0] },
    { op: 'matmul', a: 13, b: 16, transposeB: false },
    { op: 'requantize', x: 17, multiplier: 1, shift: 6, zeroPoint: 0, to: 'i32' },
    { op: 'softmax', x: 18, table: 7 },
    { op: 'matmul', a: 19, b: 15, transposeB: false },
    { op: 'requantize', x: 20, multiplier: 1, shift: 8, zeroPoint: 0, to: 'i8' },
    { op: 'add', x: 21, y: 8 },
  ],
  outputs: [22, 19],
})

/** The steps before a model: a box cut out, clamped, smoothed over time, and joined to itself. */
const preprocessing = whole('preprocessing of a series', {
  inputs: [tensorType('i32', [6, 3], { min: -4_000_000, max: 4_000_000 })],
  constants: [],
  nodes: [
    { op: 'slice', x: 0, starts: [1, 0], sizes: [5, 2], steps: [1, 2] },
    { op: 'clamp', x: 1, min: -1_000_000, max: 2_000_000 },
    { op: 'ema', x: 2, alpha: 6_554, fraction: 8 },
    { op: 'concat', xs: [1, 3, 2], axis: 1 },
  ],
  outputs: [4],
})

export function wholePrograms(): readonly WholeProgram[] {
  return [perceptron, convolutional, attention, preprocessing]
}
