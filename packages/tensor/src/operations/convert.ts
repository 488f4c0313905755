/** T45: the same numbers in another kind of integer, which by their range has them all. To cut them down: `clamp`. */
import { choice, field } from '@shardy/protocol'
import { operation } from '../operation.ts'
import { dtypes, mapEntries } from '../tensor.ts'
import { resultOf } from '../value.ts'

export const convert = operation({
  op: 'convert',
  operands: ['x'],
  attributes: { to: field(8, choice(dtypes)) },
  infer([x], { to }) {
    return resultOf(to, x.shape, x)
  },
  evaluate([x], _attributes, { dtype, shape }) {
    return { dtype, shape, data: mapEntries(x.data, dtype, (entry) => entry) }
  },
})
