/** T22: one int32 number added to each channel. A sum that could leave int32 is refused by range. */
import { operation } from '../operation.ts'
import { entryAt, mapEntries } from '../tensor.ts'
import { addRanges, broken, describeType, resultOf } from '../value.ts'

export const bias = operation({
  op: 'bias',
  operands: ['x', 'b'],
  attributes: {},
  infer([x, b]) {
    if (x.dtype !== 'i32') return broken(`x is ${describeType(x)}, expected i32`)
    const channels = x.shape.at(-1)
    if (b.dtype !== 'i32' || b.shape.length !== 1 || b.shape[0] !== channels) {
      return broken(`b is ${describeType(b)}, expected i32[${channels}]`)
    }
    return resultOf('i32', x.shape, addRanges(x, b))
  },
  evaluate([x, b], _attributes, { dtype, shape }) {
    const channels = b.data.length
    const data = mapEntries(x.data, dtype, (entry, index) => entry + entryAt(b.data, index % channels))
    return { dtype, shape, data }
  },
})
