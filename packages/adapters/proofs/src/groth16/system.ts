/** Groth16 behind the interface that all proof systems share. */
import { openCircuitProver } from '../prover/circuitProver.ts'
import type { ProofSystem } from '../system.ts'
import { proofFromJson, proofLength, proofToJson } from './proofJson.ts'
import { openVerifier } from './verifier.ts'
import { parseVerifyingKey, type VerifyingKey } from './verifyingKey.ts'

export const groth16: ProofSystem<VerifyingKey> = {
  name: 'groth16',
  proofLength,
  parseKey: parseVerifyingKey,
  openVerifier,
  openProver: openCircuitProver,
  proofFromJson,
  proofToJson,
}
