import { groth16 } from '../src/index.ts'
import { proofSystemConformance } from '../src/proofSystem.conformance.ts'
import { otherKeyJson, proveV2, v2KeyJson } from './v2.ts'

proofSystemConformance(async () => {
  const statements = (await proveV2(4)).map(({ proof, signals }) => {
    const json = groth16.proofToJson(proof)
    if (!json.ok) throw new Error(json.refusal.detail)
    return { json: json.value, signals }
  })
  return { system: groth16, key: v2KeyJson(), otherKey: otherKeyJson(), statements }
})
