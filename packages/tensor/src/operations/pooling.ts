/**
 * T40, T41: the largest or the mean of each window of an NHWC image, channel by channel. Padding only moves the windows:
 * what lies beside the image is no entry. Each pad is smaller than the window, so no window is empty.
 */
import { operation } from '../operation.ts'
import { createEntries, type Dtype, type Entries, entryAt, sizeOf, type Tensor } from '../tensor.ts'
import { type Broken, broken, describeType, magnitude, resultOf, type Value } from '../value.ts'
import { type Paddings, padding, positions, step } from './window.ts'

export interface PoolingAttributes extends Paddings {
  readonly windowH: number
  readonly windowW: number
  readonly strideH: number
  readonly strideW: number
}

const attributes = {
  windowH: step(8),
  windowW: step(9),
  strideH: step(10),
  strideW: step(11),
  padTop: padding(12),
  padLeft: padding(13),
  padBottom: padding(14),
  padRight: padding(15),
}

const entriesMax = 65_536
/** Twice a sum, and half a divisor more, then stay inside int32. */
const sumMax = 2 ** 29

function pooledShape({ shape }: Pick<Value, 'shape'>, pooling: PoolingAttributes): readonly number[] {
  const [images = 0, height = 0, width = 0, channels = 0] = shape
  const { windowH, windowW, strideH, strideW, padTop, padLeft, padBottom, padRight } = pooling
  const rows = positions({
    extent: height,
    window: windowH,
    stride: strideH,
    dilation: 1,
    before: padTop,
    after: padBottom,
  })
  const columns = positions({
    extent: width,
    window: windowW,
    stride: strideW,
    dilation: 1,
    before: padLeft,
    after: padRight,
  })
  return [images, rows, columns, channels]
}

function inferPooled(x: Value, pooling: PoolingAttributes): Value | Broken {
  const { windowH, windowW, padTop, padLeft, padBottom, padRight } = pooling
  if (x.shape.length !== 4) return broken(`x is ${describeType(x)}, expected four dimensions`)
  if (Math.max(padTop, padBottom) >= windowH || Math.max(padLeft, padRight) >= windowW) {
    return broken(
      `the padding ${padTop}, ${padLeft}, ${padBottom}, ${padRight} is not smaller than the window ${windowH} x ${windowW}`,
    )
  }
  const shape = pooledShape(x, pooling)
  if (shape.some((size) => size < 1)) {
    return broken(
      `the window ${windowH} x ${windowW} does not fit into x, ${describeType(x)}, and its padding`,
    )
  }
  return resultOf(x.dtype, shape, x)
}

/** For each entry of the result, the entries of x in its window. */
function pooled(
  x: Tensor,
  { dtype, shape }: { readonly dtype: Dtype; readonly shape: readonly number[] },
  { windowH, windowW, strideH, strideW, padTop, padLeft }: PoolingAttributes,
  pool: (entries: readonly number[]) => number,
): Entries {
  const [, height = 0, width = 0, channels = 0] = x.shape
  const [, rows = 0, columns = 0] = shape
  const data = createEntries(dtype, sizeOf(shape))
  for (let index = 0; index < data.length; index++) {
    const channel = index % channels
    const place = Math.floor(index / channels)
    const left = (place % columns) * strideW - padLeft
    const top = (Math.floor(place / columns) % rows) * strideH - padTop
    const image = Math.floor(place / (columns * rows))
    const entries: number[] = []
    for (let row = Math.max(top, 0); row < Math.min(top + windowH, height); row++) {
      for (let column = Math.max(left, 0); column < Math.min(left + windowW, width); column++) {
        entries.push(entryAt(x.data, ((image * height + row) * width + column) * channels + channel))
      }
    }
    data[index] = pool(entries)
  }
  return data
}

function work(_operands: unknown, { windowH, windowW }: PoolingAttributes, { shape }: Value): number {
  return sizeOf(shape) * windowH * windowW
}

export const maxPool = operation({
  op: 'maxPool',
  operands: ['x'],
  attributes,
  infer: ([x], pooling) => inferPooled(x, pooling),
  evaluate([x], pooling, { dtype, shape }) {
    const largest = (entries: readonly number[]) => entries.reduce((left, right) => Math.max(left, right))
    return { dtype, shape, data: pooled(x, { dtype, shape }, pooling, largest) }
  },
  work,
})

export const averagePool = operation({
  op: 'averagePool',
  operands: ['x'],
  attributes,
  infer([x], pooling) {
    if (x.dtype === 'u32') return broken(`x is ${describeType(x)}, expected i8, u8 or i32`)
    const { windowH, windowW } = pooling
    const entries = windowH * windowW
    if (entries > entriesMax)
      return broken(`the window ${windowH} x ${windowW} has ${entries} entries, the limit is ${entriesMax}`)
    const sum = entries * magnitude(x)
    if (sum > sumMax) {
      return broken(
        `the sum of a window could be ${sum} in size, the limit is ${sumMax}: x is ${x.min} to ${x.max}`,
      )
    }
    return inferPooled(x, pooling)
  },
  evaluate([x], pooling, { dtype, shape }) {
    // roundDivide in doubles, which are exact here: a quotient of 31 bits by 17 is never rounded up to a whole number.
    const mean = (entries: readonly number[]) => {
      const sum = entries.reduce((left, right) => left + right, 0)
      return Math.floor((2 * sum + entries.length) / (2 * entries.length))
    }
    return { dtype, shape, data: pooled(x, { dtype, shape }, pooling, mean) }
  },
  work,
})
