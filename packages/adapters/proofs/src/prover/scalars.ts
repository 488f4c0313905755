/** Scalars in the module's memory: 32 bytes, the little end first. */
import { elementLength, writeElement } from '../bn254/bytes.ts'
import type { Curve } from '../bn254/curve.ts'
import { fieldOrder } from '../bn254/orders.ts'

export function writeScalar(curve: Curve, target: number, value: bigint): void {
  const bytes = curve.bytes().subarray(target, target + elementLength)
  writeElement(bytes, 0, value)
  bytes.reverse()
}

const wide = 48

/** For blinding: 384 random bits modulo the order, which leaves a bias under 2^−128. */
export function drawScalar(curve: Curve, target: number): void {
  const limbs = crypto.getRandomValues(new BigUint64Array(wide / 8))
  const value = limbs.reduce((sum, limb) => (sum << 64n) | limb, 0n)
  writeScalar(curve, target, value % fieldOrder)
}
