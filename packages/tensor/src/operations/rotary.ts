/** T34: pairs of columns turned by an angle of their own for each position: rotary embedding from fixed tables. */
import { field, flag, whole } from '@shardy/protocol'
import { operation } from '../operation.ts'
import { roundShift, saturate } from '../rounding.ts'
import { createEntries, entryAt } from '../tensor.ts'
import {
  addRanges,
  broken,
  describeType,
  joinRanges,
  magnitude,
  multiplyRanges,
  type Range,
  saturatedResult,
  subtractRanges,
} from '../value.ts'

/** Two products of such numbers, and what rounding adds, sum within 32 bits. */
const magnitudeMax = 32_767

function roundShiftRange({ min, max }: Range, shift: number): Range {
  return { min: Number(roundShift(BigInt(min), shift)), max: Number(roundShift(BigInt(max), shift)) }
}

export const rotary = operation({
  op: 'rotary',
  operands: ['x', 'cos', 'sin'],
  attributes: {
    /** The binary places of the tables. */
    shift: field(8, whole(0, 15)),
    /** Pairs are neighbours, (2i, 2i + 1); otherwise they lie half a row apart, (i, i + d/2). */
    interleaved: field(9, flag()),
  },
  infer([x, cos, sin], { shift }) {
    if (x.dtype !== 'i8' && x.dtype !== 'i32') return broken(`x is ${describeType(x)}, expected i8 or i32`)
    if (x.shape.length < 2) return broken(`x is ${describeType(x)}, expected two dimensions or more`)
    const [positions = 0, columns = 0] = x.shape.slice(-2)
    if (columns % 2 !== 0) return broken(`x has rows of ${columns}, which are no pairs`)
    for (const [name, table] of Object.entries({ cos, sin })) {
      const [rows, pairs] = table.shape
      if (table.dtype !== 'i32' || table.shape.length !== 2 || rows !== positions || pairs !== columns / 2) {
        return broken(`${name} is ${describeType(table)}, expected i32[${positions},${columns / 2}]`)
      }
    }
    for (const [name, value] of Object.entries({ x, cos, sin })) {
      if (magnitude(value) > magnitudeMax) {
        return broken(`${name} could be ${value.min} to ${value.max}, allowed is ±${magnitudeMax}`)
      }
    }
    const [alongCos, alongSin] = [multiplyRanges(x, cos), multiplyRanges(x, sin)]
    const sums = joinRanges(subtractRanges(alongCos, alongSin), addRanges(alongSin, alongCos))
    return saturatedResult(x.dtype, x.shape, roundShiftRange(sums, shift))
  },
  evaluate([x, cos, sin], { shift, interleaved }, { dtype, shape }) {
    const data = createEntries(dtype, x.data.length)
    const columns = shape.at(-1) ?? 1
    const pairs = columns / 2
    const round = (sum: number) => saturate(roundShift(BigInt(sum), shift), dtype)
    for (let pair = 0; pair < data.length / 2; pair++) {
      const row = Math.floor(pair / pairs)
      const inRow = pair % pairs
      const first = row * columns + (interleaved ? 2 * inRow : inRow)
      const second = first + (interleaved ? 1 : pairs)
      const angle = pair % cos.data.length // The tables repeat for every batch.
      const [c, s] = [entryAt(cos.data, angle), entryAt(sin.data, angle)]
      const [a, b] = [entryAt(x.data, first), entryAt(x.data, second)]
      data[first] = round(a * c - b * s)
      data[second] = round(a * s + b * c)
    }
    return { dtype, shape, data }
  },
})
