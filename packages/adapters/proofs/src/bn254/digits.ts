/**
 * Words of 64 bits in signed digits: each digit is zero, or odd and below 8 in size, and three zeros at least follow it. A multiplication
 * by such a number doubles once for each place and adds only where a digit stands.
 */
const digitWidth = 4
const window = 2 ** digitWidth
/** Multiples that a table must hold: 1, 3, 5 and 7 times the point. */
export const oddMultiples = 4
/** A word's digits, the carry out of it, and the zeros that follow the last digit. */
export const placesMax = 64 + digitWidth

/** Places from the lowest up; returns how many are used. */
export function writeDigits(target: Int8Array, lowHalf: number, highHalf: number): number {
  let low = lowHalf >>> 0
  let high = highHalf >>> 0
  let carry = 0
  let length = 0
  while (low !== 0 || high !== 0 || carry !== 0) {
    const isOdd = (low & 1) !== carry
    const rest = (low & (window - 1)) + carry
    const digit = rest < window / 2 ? rest : rest - window
    // Where the lowest bit and the carry are equal, their sum is even, and the carry is as it was.
    const places = isOdd ? digitWidth : 1
    target.fill(0, length, length + places)
    if (isOdd) {
      target[length] = digit
      carry = digit < 0 ? 1 : 0
    }
    length += places
    low = ((low >>> places) | (high << (32 - places))) >>> 0
    high >>>= places
  }
  return length
}
