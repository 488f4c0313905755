/** snarkjs, which shares no code with ours, takes our proofs, and we take its. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { buildBn128 } from 'ffjavascript'
import { groth16 as peer, wtns } from 'snarkjs'
import { fieldOrder, groth16, v2Signals } from '../src/index.ts'
import { openV2Verifier, proveV2, v2KeyJson, v2Statement, v2ZkeyBytes } from './v2.ts'

// Built in one thread: the one that snarkjs would build starts threads that never end on Bun.
globalThis.curve_bn128 ??= await buildBn128(true)

describe('snarkjs and we', () => {
  test('agree on our proofs, true and false', async () => {
    const key = v2KeyJson() as never
    for (const { proof, signals } of await proveV2(3)) {
      const json = groth16.proofToJson(proof)
      if (!json.ok) throw new Error(json.refusal.detail)
      expect(await peer.verify(key, signals.map(String), json.value)).toBe(true)
      expect(await peer.verify(key, signals.with(1, 5n).map(String), json.value)).toBe(false)
    }
  })

  test('agree on its proofs', async () => {
    const verifier = await openV2Verifier()
    const wasm = readFileSync(path.join(import.meta.dir, '../../../../circuits/artifacts/task-proof-v2.wasm'))
    const { taskId, seed, outputLength, resultDigest } = v2Statement(7)
    const witness = (((resultDigest - taskId - seed - outputLength) % fieldOrder) + fieldOrder) % fieldOrder
    const file = { type: 'mem' as const }
    await wtns.calculate({ witness, taskId, seed, outputLen: outputLength, resultDigest }, wasm, file)
    const { proof } = await peer.prove(v2ZkeyBytes(), file)
    const bytes = groth16.proofFromJson(proof)
    if (!bytes.ok) throw new Error(bytes.refusal.detail)
    expect(verifier.verify(bytes.value, v2Signals(v2Statement(7)))).toEqual({ ok: true })
    expect(verifier.verify(bytes.value, v2Signals(v2Statement(8))).ok).toBe(false)
  })
})
