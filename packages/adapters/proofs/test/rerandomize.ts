/** Another valid proof of the same statement, made without its witness by anyone who sees the first: (z·A, z⁻¹·B, C). */
import { readElement, writeElement } from '../src/bn254/bytes.ts'
import { fieldOrder } from '../src/bn254/orders.ts'
import { type Element, timesPoint } from './reference.ts'

export function rerandomize(proof: Uint8Array, z: bigint): Uint8Array {
  const [ax, ay, bx1, bx0, by1, by0] = Array.from({ length: 6 }, (_, index) =>
    readElement(proof, 32 * index),
  ) as [...[bigint, bigint, bigint, bigint, bigint, bigint]]
  const a = timesPoint([[ax, 0n] as Element, [ay, 0n] as Element], z)
  const b = timesPoint([[bx0, bx1] as Element, [by0, by1] as Element], inverseScalar(z))
  if (a === undefined || b === undefined) throw new Error('z is a multiple of the order')
  const other = new Uint8Array(proof)
  for (const [index, value] of [a[0][0], a[1][0], b[0][1], b[0][0], b[1][1], b[1][0]].entries())
    writeElement(other, 32 * index, value)
  return other
}

function inverseScalar(value: bigint): bigint {
  let result = 1n
  let base = value % fieldOrder
  for (let exponent = fieldOrder - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % fieldOrder
    base = (base * base) % fieldOrder
  }
  return result
}
