/** Real PLONK and FFLONK keys of the relation of task-proof-v2, and true statements under them. */
import { type CircuitInputs, fieldOrder, type ProofSystem, type PublicSignals } from '@shardy/proofs'
import type { ProofSystemFixture } from '@shardy/proofs/conformance'
import { makeDevelopmentPhase1 } from '../src/ceremony/phase1.ts'
import { makeUniversalKey, type UniversalKey, type UniversalName } from '../src/index.ts'
import { compileCircuit } from './circuits.ts'

export function inputsOf(index: number): CircuitInputs {
  const n = BigInt(index + 1)
  const taskId = (n * 0x9e3779b97f4a7c15f39cc0605cedc834n) % 2n ** 128n
  const seed = (n * 0x44504e32534e4152n) % 2n ** 64n
  const outputLen = 4_096n * n
  const resultDigest =
    (n * 0x2545f4914f6cdd1d_9e3779b97f4a7c15_f39cc0605cedc834_1082276bf3a27251n) % fieldOrder
  const witness = (((resultDigest - taskId - seed - outputLen) % fieldOrder) + fieldOrder) % fieldOrder
  return { witness, taskId, seed, outputLen, resultDigest }
}

export const signalsOf = ({ taskId, seed, outputLen, resultDigest }: CircuitInputs): PublicSignals =>
  [taskId, seed, outputLen, resultDigest].map((value) => BigInt(String(value)))

let made: ReturnType<typeof makeSources> | undefined
async function makeSources() {
  const [v2, other] = [await compileCircuit('taskProofV2'), await compileCircuit('otherOfSameSize')]
  // FFLONK takes nine times the powers that PLONK does.
  const ptau = await makeDevelopmentPhase1(7, () => {})
  return { v2, other, ptau }
}

export async function openUniversalFixture(
  name: UniversalName,
  system: ProofSystem<UniversalKey>,
): Promise<ProofSystemFixture<UniversalKey>> {
  made ??= makeSources()
  const { v2, other, ptau } = await made
  const { zkey, vkey } = await makeUniversalKey(name, { r1cs: v2.r1cs, ptau })
  const { vkey: otherKey } = await makeUniversalKey(name, { r1cs: other.r1cs, ptau })
  const files = { zkey, wasm: v2.wasm }
  const prover = await system.openProver(files)
  const statements = []
  for (let index = 0; index < 4; index++) {
    const { proof, signals } = await prover.prove(inputsOf(index))
    const json = system.proofToJson(proof)
    if (!json.ok) throw new Error(json.refusal.detail)
    statements.push({ json: json.value, signals, inputs: inputsOf(index) })
  }
  return { system, key: vkey, otherKey, statements, files }
}
