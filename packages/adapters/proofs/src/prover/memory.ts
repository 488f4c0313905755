/** How points of a key lie in the module's memory, where an element has 9 limbs of 4 bytes. */
import type { Curve } from '../bn254/curve.ts'
import { affineG2, type ProvingKey } from '../groth16/provingKey.ts'

export const element = 36
export const pointG1 = 2 * element
export const pointG2 = 4 * element
export const sumG1 = 4 * element
export const sumG2 = 8 * element

/** The points that stand alone, one after the other: the module takes them as one structure. */
export function loadSingles(curve: Curve, key: ProvingKey): number {
  const { exports } = curve
  const stage = curve.reserve(affineG2)
  const singles = curve.reserve(3 * pointG1 + 2 * pointG2)
  for (const [index, point] of [key.alphaG1, key.betaG1, key.deltaG1].entries()) {
    curve.bytes().set(point, stage)
    exports.load_g1(singles + index * pointG1, stage, 1)
  }
  for (const [index, point] of [key.betaG2, key.deltaG2].entries()) {
    curve.bytes().set(point, stage)
    exports.load_g2(singles + 3 * pointG1 + index * pointG2, stage, 1)
  }
  return singles
}
