// The curve BN254 in one thread. snarkjs looks for a curve under this global name before it builds one of its own,
// which would start worker threads in a way that never ends on Bun.

import { buildBn128, type Curve } from 'ffjavascript'

declare global {
  var curve_bn128: Curve | undefined
}

/** The order of the groups, and so the modulus of every signal. */
export const fieldModulus = 21888242871839275222246405745257275088548364400416034343698204186575808495617n

export async function openCurve(): Promise<Curve> {
  globalThis.curve_bn128 ??= await buildBn128(true)
  return globalThis.curve_bn128
}
