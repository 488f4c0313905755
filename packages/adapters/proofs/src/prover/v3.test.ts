import { describe, expect, test } from 'bun:test'
import { buildBn128 } from 'ffjavascript'
import { groth16 as peer } from 'snarkjs'
import { openV2Verifier } from '../../test/v2.ts'
import { v3Block, v3KeyJson, v3WasmBytes, v3ZkeyBytes } from '../../test/v3.ts'
import { proofToJson } from '../groth16/proofJson.ts'
import { ProvingKeyError } from '../groth16/provingKey.ts'
import { createV3Prover, v3Signals } from './v3.ts'
import { WitnessError } from './witness.ts'

const prover = await createV3Prover(v3ZkeyBytes(), v3WasmBytes())
const verifier = await openV2Verifier(v3KeyJson())
const block = await v3Block()

describe('the prover of v3', () => {
  test('proves a block, for us and for snarkjs, and no signal of it can be another', async () => {
    globalThis.curve_bn128 ??= await buildBn128(true)
    const proof = await prover.prove(block)
    const signals = v3Signals(block.binding)
    expect(verifier.verify(proof, signals)).toEqual({ ok: true })
    const json = proofToJson(proof)
    if (!json.ok) throw new Error(json.refusal.detail)
    expect(await peer.verify(v3KeyJson() as never, signals.map(String), json.value)).toBe(true)
    for (let index = 0; index < signals.length; index++) {
      const other = signals.with(index, (signals[index] as bigint) ^ 1n)
      expect(verifier.verify(proof, other)).toMatchObject({ refusal: { code: 'false' } })
    }
    expect(await prover.prove(block)).not.toEqual(proof)
  }, 60_000)

  test('does not prove what is not true', async () => {
    const { binding, a, b, sumsIn } = block
    const other = { ...binding, commitOut: binding.commitOut + 1n }
    expect(prover.prove({ ...block, binding: other })).rejects.toThrow(WitnessError)
    for (const wrong of [{ a: a.with(7, 0) }, { b: b.with(0, 1) }, { sumsIn: sumsIn.with(255, 1) }])
      expect(prover.prove({ binding, a, b, sumsIn, ...wrong })).rejects.toThrow(WitnessError)
    expect(prover.prove({ binding, a: a.slice(1), b, sumsIn })).rejects.toThrow(RangeError)
  })

  test('takes no key of another statement, and no other generator', async () => {
    const { v2ZkeyBytes } = await import('../../test/v2.ts')
    expect(createV3Prover(v2ZkeyBytes(), v3WasmBytes())).rejects.toThrow(ProvingKeyError)
    expect(createV3Prover(v3ZkeyBytes(), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))).rejects.toThrow()
  })
})
