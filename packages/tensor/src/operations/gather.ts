/** T35: rows of a table in the order of indices, as an embedding reads them. No index can lie outside: its range says so. */
import { operation } from '../operation.ts'
import { createEntries, sizeOf } from '../tensor.ts'
import { broken, describeType, resultOf } from '../value.ts'

export const gather = operation({
  op: 'gather',
  operands: ['table', 'indices'],
  attributes: {},
  infer([table, indices]) {
    const [rows = 0, ...row] = table.shape
    if (indices.min < 0 || indices.max >= rows) {
      return broken(
        `indices could be ${indices.min} to ${indices.max}, table is ${describeType(table)} and has the rows 0 to ${rows - 1}`,
      )
    }
    return resultOf(table.dtype, [...indices.shape, ...row], table)
  },
  evaluate([table, indices], _attributes, { dtype, shape }) {
    const rowSize = sizeOf(table.shape.slice(1))
    const data = createEntries(dtype, sizeOf(shape))
    indices.data.forEach((row, at) => {
      data.set(table.data.subarray(row * rowSize, (row + 1) * rowSize), at * rowSize)
    })
    return { dtype, shape, data }
  },
})
