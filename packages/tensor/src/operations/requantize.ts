/** T23, T24: int32 sums scaled down to a smaller kind of integer, by one factor for the whole tensor or one for each channel. */
import { choice, field, integer, whole } from '@shardy/protocol'
import { operation } from '../operation.ts'
import { roundShift, saturate } from '../rounding.ts'
import { type Dtype, dtypeFacts, entryAt, mapEntries } from '../tensor.ts'
import { broken, describeType, saturatedResult, type Value } from '../value.ts'

export const shiftMax = 62

const { min: i32Min, max: i32Max } = dtypeFacts.i32

const targets = ['i8', 'u8', 'i32'] as const

/** saturate(zeroPoint + roundShift(x · multiplier, shift)). The product has 64 bits, and rounding adds no more. */
export function requantized(
  x: number,
  multiplier: number,
  shift: number,
  zeroPoint: number,
  to: Dtype,
): number {
  return saturate(BigInt(zeroPoint) + roundShift(BigInt(x) * BigInt(multiplier), shift), to)
}

function refuseOperand(x: Value): string | undefined {
  return x.dtype === 'i32' ? undefined : `x is ${describeType(x)}, expected i32`
}

export const requantize = operation({
  op: 'requantize',
  operands: ['x'],
  attributes: {
    multiplier: field(8, integer(i32Min, i32Max)),
    shift: field(9, whole(0, shiftMax)),
    zeroPoint: field(10, integer(-128, 255)),
    to: field(11, choice(targets)),
  },
  infer([x], { multiplier, shift, zeroPoint, to }) {
    const refusal = refuseOperand(x)
    if (refusal !== undefined) return broken(refusal)
    const ends = [x.min, x.max].map((end) => requantized(end, multiplier, shift, zeroPoint, to))
    return saturatedResult(to, x.shape, { min: Math.min(...ends), max: Math.max(...ends) })
  },
  evaluate([x], { multiplier, shift, zeroPoint, to }, { dtype, shape }) {
    const one = (entry: number) => requantized(entry, multiplier, shift, zeroPoint, to)
    return { dtype, shape, data: mapEntries(x.data, to, one) }
  },
})

export const requantizeChannels = operation({
  op: 'requantizeChannels',
  operands: ['x', 'multipliers', 'shifts'],
  attributes: {
    zeroPoint: field(8, integer(-128, 255)),
    to: field(9, choice(targets)),
  },
  infer([x, multipliers, shifts], { to }) {
    const refusal = refuseOperand(x)
    if (refusal !== undefined) return broken(refusal)
    const channels = x.shape.at(-1) ?? 0
    if (multipliers.dtype !== 'i32' || multipliers.shape.length !== 1 || multipliers.shape[0] !== channels) {
      return broken(`multipliers is ${describeType(multipliers)}, expected i32[${channels}]`)
    }
    if (shifts.dtype !== 'u8' || shifts.shape.length !== 1 || shifts.shape[0] !== channels) {
      return broken(`shifts is ${describeType(shifts)}, expected u8[${channels}]`)
    }
    if (shifts.max > shiftMax) return broken(`shifts could be ${shifts.max}, allowed is 0 to ${shiftMax}`)
    return saturatedResult(to, x.shape, dtypeFacts[to])
  },
  evaluate([x, multipliers, shifts], { zeroPoint, to }, { dtype, shape }) {
    const channels = shape.at(-1) ?? 1
    const one = (entry: number, index: number) => {
      const channel = index % channels
      const multiplier = entryAt(multipliers.data, channel)
      return requantized(entry, multiplier, entryAt(shifts.data, channel), zeroPoint, to)
    }
    return { dtype, shape, data: mapEntries(x.data, to, one) }
  },
})
