import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { openV2Verifier, v2Statement, v2ZkeyBytes } from '../../test/v2.ts'
import { fieldOrder } from '../bn254/orders.ts'
import { parseProvingKey } from '../groth16/provingKey.ts'
import { openProver } from './prover.ts'
import { v2Signals } from './v2.ts'
import { openWitnessGenerator, WitnessError } from './witness.ts'

const artifacts = path.join(import.meta.dir, '../../../../../circuits/artifacts')
const wasm = new Uint8Array(readFileSync(path.join(artifacts, 'task-proof-v2.wasm')))
const generator = await openWitnessGenerator(wasm)
const { taskId, seed, outputLength, resultDigest } = v2Statement(3)
const inputs = {
  witness: resultDigest - taskId - seed - outputLength,
  taskId,
  seed,
  outputLen: outputLength,
  resultDigest,
}

describe('a witness generator', () => {
  test('gives the wires, from which any prover proves', async () => {
    const witness = await generator.generate({
      ...inputs,
      witness: ((inputs.witness % fieldOrder) + fieldOrder) % fieldOrder,
    })
    expect(witness).toHaveLength(6 * 32)
    expect(witness[0]).toBe(1)
    const prover = await openProver(parseProvingKey(v2ZkeyBytes()))
    const verifier = await openV2Verifier()
    expect(verifier.verify(prover.prove(witness), v2Signals(v2Statement(3)))).toEqual({ ok: true })
    // A witness that breaks the constraint gives a proof that nobody takes.
    const forged = witness.slice()
    forged[5 * 32] = (forged[5 * 32] as number) ^ 1
    expect(verifier.verify(prover.prove(forged), v2Signals(v2Statement(3))).ok).toBe(false)
    expect(() => prover.prove(witness.slice(32))).toThrow('6')
  })

  test('stops at inputs that break a constraint, are missing, or are none of the circuit', async () => {
    expect(generator.generate({ ...inputs, witness: 1n })).rejects.toThrow(WitnessError)
    const { seed: _, ...fewer } = inputs
    expect(generator.generate(fewer)).rejects.toThrow(WitnessError)
    expect(generator.generate({ ...inputs, more: 1n })).rejects.toThrow(WitnessError)
    expect(generator.generate({ ...inputs, seed: [1n, 2n] })).rejects.toThrow(WitnessError)
  })
})
