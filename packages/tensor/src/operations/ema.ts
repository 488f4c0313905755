/** T44: an exponential moving average along the first axis: each state lies between the one before it and the new entry. */
import { field, whole } from '@shardy/protocol'
import { operation } from '../operation.ts'
import { roundShift } from '../rounding.ts'
import { createEntries, entryAt } from '../tensor.ts'
import { broken, describeType, magnitude, resultOf } from '../value.ts'

/**
 * With eight binary places a state has 32 bits. The difference of two, from one end to the other, is 2^31 and does not: a
 * device takes it in 64.
 */
const magnitudeMax = 2 ** 22
/** The binary places of alpha: 65,536 is one. */
const alphaShift = 16

export const ema = operation({
  op: 'ema',
  operands: ['x'],
  attributes: {
    /** The weight of the new entry, in 65,536ths. */
    alpha: field(8, whole(1, 2 ** alphaShift)),
    /** The binary places that a state keeps. */
    fraction: field(9, whole(0, 8)),
  },
  infer([x]) {
    if (x.dtype === 'u32') return broken(`x is ${describeType(x)}, expected i8, u8 or i32`)
    if (magnitude(x) > magnitudeMax) {
      return broken(`x could be ${x.min} to ${x.max}, allowed is ±${magnitudeMax}`)
    }
    return resultOf(x.dtype, x.shape, x)
  },
  evaluate([x], { alpha, fraction }, { dtype, shape }) {
    const data = createEntries(dtype, x.data.length)
    const series = data.length / (shape[0] ?? 1)
    for (let index = 0; index < series; index++) {
      let state = BigInt(entryAt(x.data, index)) << BigInt(fraction)
      for (let at = index; at < data.length; at += series) {
        const entry = BigInt(entryAt(x.data, at)) << BigInt(fraction)
        state += roundShift((entry - state) * BigInt(alpha), alphaShift)
        data[at] = Number(roundShift(state, fraction))
      }
    }
    return { dtype, shape, data }
  },
})
