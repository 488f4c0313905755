/** T36: the axes in another order: axis i of the result is axis permutation[i] of x. */
import { field, list, whole } from '@shardy/protocol'
import { operation } from '../operation.ts'
import { stridesOf, viewed } from '../strides.ts'
import { broken, describeType, rankMax, resultOf } from '../value.ts'

export const transpose = operation({
  op: 'transpose',
  operands: ['x'],
  attributes: { permutation: field(8, list(whole(0, rankMax - 1), rankMax)) },
  infer([x], { permutation }) {
    const sorted = [...permutation].sort((one, other) => one - other)
    if (sorted.length !== x.shape.length || sorted.some((axis, index) => axis !== index)) {
      return broken(`[${permutation.join(',')}] is no order of the axes of x, ${describeType(x)}`)
    }
    return resultOf(
      x.dtype,
      permutation.map((axis) => x.shape[axis] ?? 0),
      x,
    )
  },
  evaluate([x], { permutation }, { dtype, shape }) {
    const along = stridesOf(x.shape)
    const strides = permutation.map((axis) => along[axis] ?? 0)
    return { dtype, shape, data: viewed(x, { shape, offset: 0, strides }) }
  },
})
