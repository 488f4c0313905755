/** Operations entry by entry, as plain loops over typed arrays. */
import {
  broadcastStrides,
  createEntries,
  type Entries,
  lookupOffset,
  sizeOf,
  type Tensor,
  type Value,
} from '@shardy/tensor'
import { copyView } from './layout.ts'
import { inSteps, type Steps, stretch } from './steps.ts'

export function* runBias(x: Tensor, b: Tensor): Steps {
  const data = new Int32Array(x.data.length)
  yield* inSteps(data.length, (start, end) => addBiases(x.data, b.data, data, start, end))
  return data
}

function addBiases(x: Entries, biases: Entries, data: Int32Array, start: number, end: number): void {
  const channels = biases.length
  let channel = start % channels
  for (let index = start; index < end; index++) {
    data[index] = (x[index] ?? 0) + (biases[channel] ?? 0)
    channel += 1
    if (channel === channels) channel = 0
  }
}

type Combine = (x: Entries, y: Entries, data: Int32Array, start: number, end: number) => void

const combinations = {
  add(x, y, data, start, end) {
    for (let index = start; index < end; index++) data[index] = (x[index] ?? 0) + (y[index] ?? 0)
  },
  subtract(x, y, data, start, end) {
    for (let index = start; index < end; index++) data[index] = (x[index] ?? 0) - (y[index] ?? 0)
  },
  multiply(x, y, data, start, end) {
    for (let index = start; index < end; index++) data[index] = (x[index] ?? 0) * (y[index] ?? 0)
  },
} as const satisfies Record<string, Combine>

export function* runArithmetic(op: keyof typeof combinations, x: Tensor, y: Tensor, { shape }: Value): Steps {
  const data = new Int32Array(sizeOf(shape))
  const isWhole = y.data.length === data.length
  const strides = isWhole ? [] : (broadcastStrides(y.shape, shape) ?? [])
  const right = isWhole ? y.data : yield* stretch(copyView(y, { shape, offset: 0, strides }), 0, 0.5)
  const combine = combinations[op]
  const combining = inSteps(data.length, (start, end) => combine(x.data, right, data, start, end))
  yield* stretch(combining, isWhole ? 0 : 0.5, 1)
  return data
}

export function* runClamp({ data, dtype }: Tensor, min: number, max: number): Steps {
  const clamped = createEntries(dtype, data.length)
  yield* inSteps(data.length, (start, end) => {
    for (let index = start; index < end; index++) {
      const entry = data[index] ?? 0
      clamped[index] = entry < min ? min : entry > max ? max : entry
    }
  })
  return clamped
}

export function* runLookup(x: Tensor, { data: table }: Tensor, { dtype }: Value): Steps {
  const offset = lookupOffset(x.dtype)
  const source = x.data
  const data = createEntries(dtype, source.length)
  yield* inSteps(data.length, (start, end) => {
    for (let index = start; index < end; index++) data[index] = table[(source[index] ?? 0) + offset] ?? 0
  })
  return data
}

/** The same numbers, as another kind of integer or as the same. */
export function* runConvert({ data: source }: Tensor, { dtype }: Value): Steps {
  const data = createEntries(dtype, source.length)
  yield* inSteps(data.length, (start, end) => data.set(source.subarray(start, end), start))
  return data
}
