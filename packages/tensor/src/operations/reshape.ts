/** T37: the same entries in the same order under another shape. */
import { field, list, whole } from '@shardy/protocol'
import { operation } from '../operation.ts'
import { sizeOf } from '../tensor.ts'
import { broken, describeType, rankMax, resultOf } from '../value.ts'

export const reshape = operation({
  op: 'reshape',
  operands: ['x'],
  attributes: { shape: field(8, list(whole(1, 2 ** 31 - 1), rankMax)) },
  infer([x], { shape }) {
    // Sizes are whole and from 1 on, so a product beyond exact doubles is still far from any real size.
    if (sizeOf(shape) !== sizeOf(x.shape)) {
      return broken(
        `[${shape.join(',')}] has ${sizeOf(shape)} entries, x is ${describeType(x)} with ${sizeOf(x.shape)}`,
      )
    }
    return resultOf(x.dtype, shape, x)
  },
  evaluate([x], _attributes, { dtype, shape }) {
    return { dtype, shape, data: x.data }
  },
})
