/**
 * T25, T26, T27: sums, differences and products entry by entry, in int32. Doubles hold them exactly, since inference
 * refuses operands whose result could leave int32.
 */
import { operation } from '../operation.ts'
import { stridesOf, walkView } from '../strides.ts'
import { entryAt, type Shape, sizeOf } from '../tensor.ts'
import {
  addRanges,
  broken,
  describeType,
  multiplyRanges,
  type Range,
  resultOf,
  subtractRanges,
} from '../value.ts'

/** Strides by which a smaller tensor is read as one of this shape: aligned at the last axis, a size of 1 repeats (T13). */
export function broadcastStrides(from: Shape, shape: Shape): number[] | undefined {
  const missing = shape.length - from.length
  if (missing < 0) return undefined
  const along = stridesOf(from)
  const strides: number[] = []
  for (const [axis, size] of shape.entries()) {
    const own = from[axis - missing] ?? 1
    if (own !== size && own !== 1) return undefined
    strides.push(own === 1 ? 0 : (along[axis - missing] ?? 0))
  }
  return strides
}

function entryByEntry<const Op extends string>(
  op: Op,
  combine: (x: number, y: number) => number,
  rangeOf: (x: Range, y: Range) => Range,
) {
  return operation({
    op,
    operands: ['x', 'y'],
    attributes: {},
    infer([x, y]) {
      if (broadcastStrides(y.shape, x.shape) === undefined) {
        return broken(`y is ${describeType(y)}: its sizes are neither 1 nor those of x, ${describeType(x)}`)
      }
      return resultOf('i32', x.shape, rangeOf(x, y))
    },
    evaluate([x, y], _attributes, { dtype, shape }) {
      const strides = broadcastStrides(y.shape, shape) ?? []
      const data = new Int32Array(sizeOf(shape))
      walkView({ shape, offset: 0, strides }, (source, index) => {
        data[index] = combine(entryAt(x.data, index), entryAt(y.data, source))
      })
      return { dtype, shape, data }
    },
  })
}

export const add = entryByEntry('add', (x, y) => x + y, addRanges)
export const subtract = entryByEntry('subtract', (x, y) => x - y, subtractRanges)
export const multiply = entryByEntry('multiply', (x, y) => x * y, multiplyRanges)
