/** T43: each row's k largest entries, largest first, or where they are; among equals, the lower index first. */
import { choice, field, whole } from '@shardy/protocol'
import { operation } from '../operation.ts'
import { rowsOf } from '../rows.ts'
import { createEntries, sizeOf } from '../tensor.ts'
import { broken, describeType, resultOf } from '../value.ts'

export const topK = operation({
  op: 'topK',
  operands: ['x'],
  attributes: {
    k: field(8, whole(1, 2 ** 31 - 1)),
    result: field(9, choice(['values', 'indices'])),
  },
  infer([x], { k, result }) {
    const n = x.shape.at(-1) ?? 0
    if (k > n) return broken(`k is ${k}, but x is ${describeType(x)}`)
    const shape = [...x.shape.slice(0, -1), k]
    return result === 'values' ? resultOf(x.dtype, shape, x) : resultOf('u32', shape, { min: 0, max: n - 1 })
  },
  evaluate([x], { k, result }, { dtype, shape }) {
    const data = createEntries(dtype, sizeOf(shape))
    let next = 0
    for (const { entries } of rowsOf(x)) {
      const ranked = [...entries.entries()].sort(
        ([leftIndex, left], [rightIndex, right]) => right - left || leftIndex - rightIndex,
      )
      for (const [index, entry] of ranked.slice(0, k)) data[next++] = result === 'values' ? entry : index
    }
    return { dtype, shape, data }
  },
  /** As a sort does: for each entry, as many steps as n has binary digits. */
  work([x]) {
    return sizeOf(x.shape) * (32 - Math.clz32(x.shape.at(-1) ?? 1))
  },
})
