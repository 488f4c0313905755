/**
 * A Groth16 prover for any circuit: the key's points and the matrices are brought into the module's memory once, and a proof is made from
 * a witness. Most wires of our circuits are bits, whose points are only added.
 */
import { elementLength } from '../bn254/bytes.ts'
import { type Curve, openCurve } from '../bn254/curve.ts'
import { proofLength } from '../groth16/proofJson.ts'
import { affineG1, affineG2, type ProvingKey, ProvingKeyError } from '../groth16/provingKey.ts'
import { element, loadSingles, pointG1, pointG2, sumG1, sumG2 } from './memory.ts'
import { drawScalar } from './scalars.ts'

export interface Prover {
  readonly wireCount: number
  /** From all wires, 32 bytes each with the little end first, as `WitnessGenerator` gives them. */
  prove(witness: Uint8Array): Uint8Array
}

/** Bytes of an entry of the matrices in the module's memory. */
const coefficient = 12 + element

export async function openProver(key: ProvingKey): Promise<Prover> {
  return openOn(await openCurve(), key)
}

function openOn(curve: Curve, key: ProvingKey): Prover {
  const { exports } = curve
  const { wireCount, signalCount, domainSize } = key
  const log = Math.log2(domainSize)
  const privateCount = wireCount - signalCount - 1

  function load(
    source: Uint8Array,
    itemLength: number,
    size: number,
    fill: (target: number, from: number, count: number) => void,
  ): number {
    const count = source.length / itemLength
    const target = curve.reserve(count * size)
    // In parts, so that the room for what is copied in stays small.
    for (let first = 0; first < count; first += stageItems) {
      const part = source.subarray(first * itemLength, Math.min(count, first + stageItems) * itemLength)
      curve.bytes().set(part, stage)
      fill(target + first * size, stage, part.length / itemLength)
    }
    return target
  }
  const stageItems = 2_048
  const stage = curve.reserve(stageItems * affineG2)
  const loadG1 = (source: Uint8Array): number => load(source, affineG1, pointG1, exports.load_g1)
  const loadG2 = (source: Uint8Array): number => load(source, affineG2, pointG2, exports.load_g2)

  const singles = loadSingles(curve, key)
  const [a, b, c, h] = [loadG1(key.a), loadG1(key.b1), loadG1(key.c), loadG1(key.h)]
  const bTwisted = loadG2(key.b2)
  const coefficients = load(key.coefficients, 12 + elementLength, coefficient, (target, from, count) =>
    exports.load_coefficients(target, from, count, log),
  )
  const domain = curve.reserve(exports.domain_size(log))
  exports.open_domain(domain, log)

  const witnessAt = curve.reserve(wireCount * elementLength)
  const values = curve.reserve(3 * domainSize * element)
  const quotient = curve.reserve(domainSize * elementLength)
  const sums = curve.reserve(4 * sumG1 + sumG2)
  const room = curve.reserve(exports.sum_room(Math.max(wireCount, domainSize)))
  const [proof, blindA, blindB] = [
    curve.reserve(proofLength),
    curve.reserve(elementLength),
    curve.reserve(elementLength),
  ]

  return {
    wireCount,
    prove(witness) {
      if (witness.length !== wireCount * elementLength)
        throw new ProvingKeyError(
          `the witness has ${witness.length / elementLength} wires, and the key ${wireCount}`,
        )
      curve.bytes().set(witness, witnessAt)
      const privateAt = witnessAt + (signalCount + 1) * elementLength
      exports.quotient(domain, coefficients, key.coefficientCount, witnessAt, wireCount, values, quotient)
      exports.sum_g1(sums, a, witnessAt, wireCount, room)
      exports.sum_g1(sums + sumG1, b, witnessAt, wireCount, room)
      exports.sum_g1(sums + 2 * sumG1, c, privateAt, privateCount, room)
      exports.sum_g1(sums + 3 * sumG1, h, quotient, domainSize, room)
      exports.sum_g2(sums + 4 * sumG1, bTwisted, witnessAt, wireCount, room)
      drawScalar(curve, blindA)
      drawScalar(curve, blindB)
      exports.assemble(proof, singles, sums, blindA, blindB)
      return curve.bytes().slice(proof, proof + proofLength)
    },
  }
}
