// Arithmetic on signals: integers below the field's modulus.

import { fieldModulus } from './curve.ts'

export function reduce(value: bigint): bigint {
  const rest = value % fieldModulus
  return rest < 0n ? rest + fieldModulus : rest
}

export function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = reduce(base)
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % fieldModulus
    square = (square * square) % fieldModulus
  }
  return result
}

/** The inverses of many values for the price of one exponentiation; none may be zero. */
export function invertAll(values: readonly bigint[]): bigint[] {
  const before: bigint[] = []
  let product = 1n
  for (const value of values) {
    if (value === 0n) throw new Error('zero has no inverse')
    before.push(product)
    product = (product * value) % fieldModulus
  }
  let inverse = power(product, fieldModulus - 2n)
  const inverses = new Array<bigint>(values.length)
  for (let index = values.length - 1; index >= 0; index--) {
    inverses[index] = (inverse * (before[index] ?? 0n)) % fieldModulus
    inverse = (inverse * (values[index] ?? 0n)) % fieldModulus
  }
  return inverses
}

/** A generator of the subgroup of this order, a power of two up to 2^28; the same one that snarkjs uses. */
export function rootOfUnity(order: number): bigint {
  if (order < 1 || order > 2 ** 28 || !Number.isInteger(Math.log2(order)))
    throw new Error(`no root of unity has the order ${order}`)
  return power(5n, (fieldModulus - 1n) / BigInt(order))
}

/**
 * The values of a polynomial at the powers of a root, from its coefficients; both lists as long as the root's order.
 * With the root's inverse, and everything divided by the length, it goes the other way.
 */
export function evaluateAtPowers(coefficients: readonly bigint[], root: bigint): bigint[] {
  const size = coefficients.length
  const bits = Math.log2(size)
  if (!Number.isInteger(bits)) throw new Error(`${size} is no power of two`)
  const values = coefficients.map((_, index) => coefficients[reverseBits(index, bits)] ?? 0n)
  for (let half = 1; half < size; half *= 2) {
    const step = power(root, BigInt(size / (2 * half)))
    let twist = 1n
    for (let offset = 0; offset < half; offset++) {
      for (let at = offset; at < size; at += 2 * half) {
        const left = values[at] ?? 0n
        const right = ((values[at + half] ?? 0n) * twist) % fieldModulus
        values[at] = (left + right) % fieldModulus
        values[at + half] = reduce(left - right)
      }
      twist = (twist * step) % fieldModulus
    }
  }
  return values
}

function reverseBits(value: number, bits: number): number {
  let reversed = 0
  for (let bit = 0; bit < bits; bit++) reversed |= ((value >> bit) & 1) << (bits - 1 - bit)
  return reversed
}
