/** Operations entry by entry, as plain loops over typed arrays, and requantization by the WASM kernel. */
import {
  broadcastStrides,
  createEntries,
  type Entries,
  lookupOffset,
  type NodeFor,
  sizeOf,
  type Tensor,
  type Value,
} from '@shardy/tensor'
import type { ElementKernels } from '../wasm/kernels.ts'
import { copyView } from './layout.ts'

function words({ data, dtype }: Tensor): Int32Array {
  if (data instanceof Int32Array) return data
  throw new TypeError(`${dtype} where int32 was inferred`)
}

function requantizeTarget({ dtype, shape }: Value): Int8Array | Uint8Array | Int32Array {
  const target = createEntries(dtype, sizeOf(shape))
  if (target instanceof Uint32Array) throw new TypeError('no requantization makes u32')
  return target
}

export function runRequantize(
  { requantize }: ElementKernels,
  { multiplier, shift, zeroPoint }: NodeFor<'requantize'>,
  x: Tensor,
  result: Value,
): Entries {
  const multipliers = Int32Array.of(multiplier)
  const shifts = Uint8Array.of(shift)
  return requantize(words(x), requantizeTarget(result), { multipliers, shifts, zeroPoint, channels: 1 })
}

export function runRequantizeChannels(
  { requantize }: ElementKernels,
  { zeroPoint }: NodeFor<'requantizeChannels'>,
  [x, multipliers, shifts]: readonly [Tensor, Tensor, Tensor],
  result: Value,
): Entries {
  return requantize(words(x), requantizeTarget(result), {
    multipliers: words(multipliers),
    shifts: Uint8Array.from(shifts.data),
    zeroPoint,
    channels: result.shape.at(-1) ?? 1,
  })
}

export function runBias(x: Tensor, b: Tensor): Entries {
  const [source, biases] = [words(x), words(b)]
  const data = new Int32Array(source.length)
  const channels = biases.length
  for (let start = 0; start < data.length; start += channels) {
    for (let channel = 0; channel < channels; channel++) {
      data[start + channel] = (source[start + channel] ?? 0) + (biases[channel] ?? 0)
    }
  }
  return data
}

const combinations = {
  add: (x: Entries, y: Entries, data: Int32Array) => {
    for (let index = 0; index < data.length; index++) data[index] = (x[index] ?? 0) + (y[index] ?? 0)
  },
  subtract: (x: Entries, y: Entries, data: Int32Array) => {
    for (let index = 0; index < data.length; index++) data[index] = (x[index] ?? 0) - (y[index] ?? 0)
  },
  multiply: (x: Entries, y: Entries, data: Int32Array) => {
    for (let index = 0; index < data.length; index++) data[index] = (x[index] ?? 0) * (y[index] ?? 0)
  },
} as const

export function runArithmetic(
  op: keyof typeof combinations,
  x: Tensor,
  y: Tensor,
  { shape }: Value,
): Entries {
  const data = new Int32Array(sizeOf(shape))
  const isWhole = y.data.length === data.length
  const strides = isWhole ? [] : (broadcastStrides(y.shape, shape) ?? [])
  combinations[op](x.data, isWhole ? y.data : copyView(y, { shape, offset: 0, strides }), data)
  return data
}

export function runClamp({ data, dtype }: Tensor, min: number, max: number): Entries {
  const clamped = createEntries(dtype, data.length)
  for (let index = 0; index < data.length; index++) {
    const entry = data[index] ?? 0
    clamped[index] = entry < min ? min : entry > max ? max : entry
  }
  return clamped
}

export function runLookup(x: Tensor, table: Tensor, { dtype }: Value): Entries {
  const offset = lookupOffset(x.dtype)
  const data = createEntries(dtype, x.data.length)
  for (let index = 0; index < data.length; index++) {
    data[index] = table.data[(x.data[index] ?? 0) + offset] ?? 0
  }
  return data
}

export function runConvert(x: Tensor, { dtype }: Value): Entries {
  const data = createEntries(dtype, x.data.length)
  data.set(x.data)
  return data
}
