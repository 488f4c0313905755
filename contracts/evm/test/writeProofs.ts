// Writes proofs.json: one proof under each active key, by snarkjs from the circuits' own artifacts. Run it again when a key
// has changed: npx bun contracts/evm/test/writeProofs.ts (about 15 seconds).

import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { blockEntries, fieldOrder, groth16, openField } from '@shardy/proofs'
import { buildBn128 } from 'ffjavascript'
import { type MemoryFile, groth16 as snarkjs, wtns } from 'snarkjs'
import { activeKey, artifactsFolder } from '../src/activeKeys.ts'

export type KeptProof = {
  readonly verifyingKeySha256: string
  readonly proof: string
  readonly signals: readonly string[]
}

const side = 16
const [taskId, deliveryId] = [0x00112233445566778899aabbccddeeffn, 0xffeeddccbbaa99887766554433221100n]
const resultDigest = fieldOrder - 0x44504e32534e4152n

function identityBinding() {
  const [seed, outputLen] = [0x44504e32534e4152n, 65_536n]
  return {
    taskId,
    seed,
    outputLen,
    resultDigest,
    witness: inField(resultDigest - taskId - seed - outputLen),
  }
}

async function block() {
  const opened = await openField()
  if (!opened.ok) throw new Error(opened.refusal.message)
  const { commitOperand, commitSums } = opened.field
  const entries = (step: number, from: number, range: number) =>
    Array.from({ length: blockEntries }, (_, index) => from + ((index * step) % range))
  const [a, b] = [entries(37, -128, 256), entries(91, -128, 256)]
  const before = entries(7_919, -1_000_000, 2_000_000)
  const after = before.map((sum, index) => {
    const [row, column] = [Math.floor(index / side), index % side]
    return Array.from({ length: side }, (_, k) => k).reduce(
      (total, k) => total + (a[row * side + k] ?? 0) * (b[k * side + column] ?? 0),
      sum,
    )
  })
  const rows = (values: readonly number[]) =>
    Array.from({ length: side }, (_, row) =>
      values.slice(row * side, (row + 1) * side).map((value) => inField(BigInt(value))),
    )
  return {
    taskId,
    deliveryId,
    workerHigh: 0x0123456789abcdef0123456789abcdefn,
    workerLow: 0xfedcba9876543210fedcba9876543210n,
    resultDigest,
    position: (3n << 96n) | (1n << 64n) | (2n << 32n) | 5n,
    commitA: commitOperand(Int8Array.from(a), 'a'),
    commitB: commitOperand(Int8Array.from(b), 'b'),
    commitIn: commitSums(Int32Array.from(before)),
    commitOut: commitSums(Int32Array.from(after)),
    a: rows(a),
    b: rows(b),
    sumsIn: rows(before),
  }
}

const inField = (value: bigint) => ((value % fieldOrder) + fieldOrder) % fieldOrder

async function prove(kind: 'v2' | 'v3', inputs: Readonly<Record<string, unknown>>): Promise<KeptProof> {
  const { facts } = activeKey(kind)
  const read = (ending: string) =>
    new Uint8Array(readFileSync(path.join(artifactsFolder, `${facts.circuit}.${ending}`)))
  const witness: MemoryFile = { type: 'mem' }
  await wtns.calculate(inputs, read('wasm'), witness)
  const { proof, publicSignals } = await snarkjs.prove(read('zkey'), witness)
  const bytes = groth16.proofFromJson(proof)
  if (!bytes.ok) throw new Error(bytes.refusal.detail)
  return {
    verifyingKeySha256: facts.verifyingKeySha256,
    proof: Buffer.from(bytes.value).toString('hex'),
    signals: publicSignals,
  }
}

// In one thread: those that snarkjs would start never end on Bun.
globalThis.curve_bn128 ??= await buildBn128(true)
const proofs = { v2: await prove('v2', identityBinding()), v3: await prove('v3', await block()) }
writeFileSync(path.join(import.meta.dirname, 'proofs.json'), `${JSON.stringify(proofs, null, 2)}\n`)
