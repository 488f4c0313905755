/** T31: each row's shares of 255, from a table of exp over the distance to the row's largest entry. */
import { operation } from '../operation.ts'
import { roundDivide } from '../rounding.ts'
import { largestOf, rowsOf } from '../rows.ts'
import { entryAt } from '../tensor.ts'
import { broken, describeType, resultOf } from '../value.ts'

const tableSize = 256
/** With it, 255 times an entry stays far below 32 bits. */
const weightMax = 65_535
/** What the weights of one row may sum to: doubled, as rounding does, it is still 32 bits. */
const sumMax = 2 ** 31 - 1
/** What a row's shares add up to, but for rounding. */
const whole = 255n

export const softmax = operation({
  op: 'softmax',
  operands: ['x', 'table'],
  attributes: {},
  infer([x, table]) {
    if (x.dtype === 'u32') return broken(`x is ${describeType(x)}, expected i8, u8 or i32`)
    if (table.dtype !== 'u32' || table.shape.length !== 1 || table.shape[0] !== tableSize) {
      return broken(`table is ${describeType(table)}, expected u32[${tableSize}]`)
    }
    if (table.max > weightMax) return broken(`table could hold ${table.max}, the limit is ${weightMax}`)
    const n = x.shape.at(-1) ?? 0
    if (n * table.max > sumMax) {
      return broken(`a row of ${n} could sum to ${n * table.max}, the limit is ${sumMax}`)
    }
    return resultOf('u8', x.shape)
  },
  evaluate([x, table], _attributes, { dtype, shape }) {
    const data = new Uint8Array(x.data.length)
    for (const { start, entries } of rowsOf(x)) {
      const largest = largestOf(entries)
      const weights = entries.map((entry) => {
        return BigInt(entryAt(table.data, Math.min(largest - entry, tableSize - 1)))
      })
      const sum = weights.reduce((left, right) => left + right)
      if (sum === 0n) continue
      for (const [column, weight] of weights.entries()) {
        data[start + column] = Number(roundDivide(whole * weight, sum))
      }
    }
    return { dtype, shape, data }
  },
})
