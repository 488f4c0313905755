/** T28, T29: entries brought into an interval; relu is the one from zero on. */
import { field, integer } from '@shardy/protocol'
import { operation } from '../operation.ts'
import { dtypeFacts, mapEntries } from '../tensor.ts'
import { broken, clampRange, describeType, resultOf } from '../value.ts'

export const relu = operation({
  op: 'relu',
  operands: ['x'],
  attributes: {},
  infer([x]) {
    if (x.dtype !== 'i8' && x.dtype !== 'i32') return broken(`x is ${describeType(x)}, expected i8 or i32`)
    return resultOf(x.dtype, x.shape, { min: Math.max(x.min, 0), max: Math.max(x.max, 0) })
  },
  evaluate([x], _attributes, { dtype, shape }) {
    return { dtype, shape, data: mapEntries(x.data, dtype, (entry) => Math.max(entry, 0)) }
  },
})

const bound = integer(dtypeFacts.i32.min, dtypeFacts.u32.max)

export const clamp = operation({
  op: 'clamp',
  operands: ['x'],
  attributes: { min: field(8, bound), max: field(9, bound) },
  infer([x], { min, max }) {
    const facts = dtypeFacts[x.dtype]
    if (min > max || min < facts.min || max > facts.max) {
      return broken(
        `the interval ${min} to ${max} is none of ${x.dtype}, which holds ${facts.min} to ${facts.max}`,
      )
    }
    return resultOf(x.dtype, x.shape, clampRange(x, { min, max }))
  },
  evaluate([x], { min, max }, { dtype, shape }) {
    return { dtype, shape, data: mapEntries(x.data, dtype, (entry) => Math.min(Math.max(entry, min), max)) }
  },
})
