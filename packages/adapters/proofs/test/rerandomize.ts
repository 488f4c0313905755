/** Another valid proof of the same statement, made without its witness by anyone who sees the first: (z·A, z⁻¹·B, C). */
import { frSize, g1Size, g2Size, loadMcl } from '../src/bn254/mcl.ts'
import { openNumbers } from '../src/bn254/numbers.ts'
import { g1Length, openPoints } from '../src/bn254/points.ts'
import { openSubgroup } from '../src/bn254/subgroup.ts'

const mcl = await loadMcl()
const numbers = openNumbers(mcl)
const points = openPoints(mcl, openSubgroup(mcl, numbers))
const [a, b, scalar, inverse] = [
  mcl.reserve(g1Size),
  mcl.reserve(g2Size),
  mcl.reserve(frSize),
  mcl.reserve(frSize),
]

export function rerandomize(proof: Uint8Array, z: bigint): Uint8Array {
  const refusal = points.readG1(a, proof, 0, 'A') ?? points.readG2(b, proof, g1Length, 'B')
  if (refusal !== undefined) throw new Error(refusal.detail)
  numbers.writeFr(scalar, z)
  mcl._mclBnFr_inv(inverse, scalar)
  mcl._mclBnG1_mul(a, a, scalar)
  mcl._mclBnG2_mul(b, b, inverse)
  mcl._mclBnG1_normalize(a, a)
  mcl._mclBnG2_normalize(b, b)
  const other = proof.slice()
  points.writeG1(other, 0, a)
  points.writeG2(other, g1Length, b)
  return other
}
