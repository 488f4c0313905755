/** T42: where each row's largest entry is; among equals, the first. */
import { operation } from '../operation.ts'
import { largestOf, rowsOf } from '../rows.ts'
import { sizeOf } from '../tensor.ts'
import { resultOf } from '../value.ts'

export const argmax = operation({
  op: 'argmax',
  operands: ['x'],
  attributes: {},
  infer([x]) {
    const n = x.shape.at(-1) ?? 1
    const rows = x.shape.length === 1 ? [1] : x.shape.slice(0, -1)
    return resultOf('u32', rows, { min: 0, max: n - 1 })
  },
  evaluate([x], _attributes, { dtype, shape }) {
    const indices = Array.from(rowsOf(x), ({ entries }) => entries.indexOf(largestOf(entries)))
    return { dtype, shape, data: Uint32Array.from(indices) }
  },
  work: ([x]) => sizeOf(x.shape),
})
