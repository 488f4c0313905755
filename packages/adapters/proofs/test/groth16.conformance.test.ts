import { fieldOrder, groth16 } from '../src/index.ts'
import { proofSystemConformance } from '../src/proofSystem.conformance.ts'
import { otherKeyJson, proveV2, v2KeyJson, v2Statement, v2WasmBytes, v2ZkeyBytes } from './v2.ts'

proofSystemConformance(async () => {
  const statements = (await proveV2(4)).map(({ proof, signals }, index) => {
    const json = groth16.proofToJson(proof)
    if (!json.ok) throw new Error(json.refusal.detail)
    const { taskId, seed, outputLength, resultDigest } = v2Statement(index)
    const rest = (resultDigest - taskId - seed - outputLength) % fieldOrder
    const witness = (rest + fieldOrder) % fieldOrder
    return {
      json: json.value,
      signals,
      inputs: { witness, taskId, seed, outputLen: outputLength, resultDigest },
    }
  })
  const files = { zkey: v2ZkeyBytes(), wasm: v2WasmBytes() }
  return { system: groth16, key: v2KeyJson(), otherKey: otherKeyJson(), statements, files }
})
