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
