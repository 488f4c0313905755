/** T30: a table of 256 entries in the place of a function of one byte: gelu, silu, sigmoid, exp. */
import { operation } from '../operation.ts'
import { type Dtype, entryAt, mapEntries } from '../tensor.ts'
import { broken, describeType, type Range, resultOf, type Value } from '../value.ts'

const tableSize = 256

/** Which entry of the table a byte of 0 reads. */
export function lookupOffset(dtype: Dtype): number {
  return dtype === 'i8' ? 128 : 0
}

/** Where the table is known, its entries that x can reach; otherwise all that it may hold. */
function reachable(x: Value, table: Value): Range {
  if (table.known === undefined) return table
  const offset = lookupOffset(x.dtype)
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let index = x.min + offset; index <= x.max + offset; index++) {
    const entry = entryAt(table.known, index)
    min = Math.min(min, entry)
    max = Math.max(max, entry)
  }
  return { min, max }
}

export const lookup = operation({
  op: 'lookup',
  operands: ['x', 'table'],
  attributes: {},
  infer([x, table]) {
    if (x.dtype !== 'i8' && x.dtype !== 'u8') return broken(`x is ${describeType(x)}, expected i8 or u8`)
    if (table.shape.length !== 1 || table.shape[0] !== tableSize) {
      return broken(`table is ${describeType(table)}, expected ${table.dtype}[${tableSize}]`)
    }
    return resultOf(table.dtype, x.shape, reachable(x, table))
  },
  evaluate([x, table], _attributes, { dtype, shape }) {
    const offset = lookupOffset(x.dtype)
    return { dtype, shape, data: mapEntries(x.data, dtype, (entry) => entryAt(table.data, entry + offset)) }
  },
})
