/** What a ceremony stands on: a circuit (.r1cs) and powers of tau (.ptau). Only their headers are read here. */
import { signalsMax } from '@shardy/proofs'
import { ByteReader, littleEndian } from './bytes.ts'
import { readContainer } from './container.ts'
import { fieldModulus, scalarModulus } from './key.ts'

export interface CircuitFacts {
  readonly constraints: number
  readonly publicSignals: number
  /** The least power of two of steps that it takes. */
  readonly power: number
}

/** A string says what is wrong. */
export function readCircuitFacts(bytes: Uint8Array): CircuitFacts | string {
  const container = readContainer(bytes, 'r1cs')
  if (!container.ok) return container.detail
  const section = container.sections.get(1)
  if (section === undefined || !container.sections.has(2)) return 'it has no header or no constraints'
  if (section.length !== 64) return 'its curve is not BN254'
  const header = new ByteReader(section)
  if (header.u32() !== 32 || littleEndian(header.take(32)) !== scalarModulus) return 'its curve is not BN254'
  header.u32()
  const [outputs, publicInputs] = [header.u32(), header.u32()]
  header.take(12)
  const constraints = header.u32()
  const publicSignals = outputs + publicInputs
  // At --O2 a purely linear relation is optimized away, and a key of nothing proves anything.
  if (constraints === 0) return 'it has no constraints: a key made from it would prove anything'
  if (publicSignals < 1 || publicSignals > signalsMax)
    return `it has ${publicSignals} public signals, and verifiers take 1 to ${signalsMax}`
  return { constraints, publicSignals, power: Math.ceil(Math.log2(constraints + publicSignals + 1)) }
}

export interface Phase1Facts {
  readonly power: number
  /** As the file says: --phase1 checks that they are so. */
  readonly contributions: number
}

/** `development`: one person's work or nobody's, whoever calls it a ceremony. */
export type Phase1Trust = 'development' | 'ceremony'

export const trustOf = ({ contributions }: Pick<Phase1Facts, 'contributions'>): Phase1Trust =>
  contributions >= 2 ? 'ceremony' : 'development'

export function readPhase1Facts(bytes: Uint8Array): Phase1Facts | string {
  const container = readContainer(bytes, 'ptau')
  if (!container.ok) return container.detail
  const section = container.sections.get(1)
  if (section === undefined || section.length !== 44) return 'it has no header, or its curve is not BN254'
  const header = new ByteReader(section)
  if (header.u32() !== 32 || littleEndian(header.take(32)) !== fieldModulus) return 'its curve is not BN254'
  const power = header.u32()
  const log = container.sections.get(7)
  for (const needed of [2, 3, 4, 5, 6, 7, 12, 13, 14, 15])
    if (!container.sections.has(needed)) {
      return needed >= 12
        ? 'it is not prepared for phase 2 (`snarkjs powersoftau prepare phase2` does that)'
        : `section ${needed} is missing`
    }
  if (log === undefined || log.length < 4) return 'section 7 is too short'
  return { power, contributions: new ByteReader(log).u32() }
}
