/** With the real key: what a worker proves of its answer verifies against the signals that an orchestrator makes, and no others. */
import { expect, setDefaultTimeout, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { sha256 } from '@shardy/crypto/native'
import { openField, openVerifier, parseVerifyingKey } from '@shardy/proofs'
import { encodeHex, taskProofV3Signals } from '@shardy/protocol'
import { evaluate, inputLength, matmulProgram, operandBlocks, provableProduct, tileOf } from '@shardy/tensor'
import type { ProvableBlock } from './blockProver.ts'
import { createBlockProver } from './blockProving.ts'
import { createKeyLoader } from './proofKeys.ts'

setDefaultTimeout(120_000)

const folder = path.join(import.meta.dir, '../../../circuits/artifacts')
const load = createKeyLoader((name) => readFile(path.join(folder, name)), sha256)
const program = matmulProgram({ m: 20, k: 37, n: 18 })
const found = provableProduct(program)
if (!found.ok) throw new Error('a plain product can be proven')
const { product } = found
const input = Uint8Array.from({ length: inputLength(program) }, (_, index) => (index * 73 + 5) & 0xff)
const output = evaluate(program, input)
const about = {
  verifierVersion: 3,
  taskId: '01'.repeat(16) as never,
  deliveryId: '02'.repeat(16) as never,
  workerId: 'fe'.repeat(32) as never,
  outputDigest: encodeHex(sha256(output)) as never,
  outputLength: output.length,
  product,
  input,
}

test('the sums of a tile end in the tile, and each block of it can be proven', async () => {
  const prover = createBlockProver(load, sha256)
  const opened = await openField()
  if (!opened.ok) throw new Error(opened.refusal.message)
  const { commitOperand, commitSums } = opened.field
  const tile = { tileRow: 1, tileColumn: 1 }
  const sums = await prover.sums(product, input, tile)
  expect(sums).toHaveLength(3)
  expect(sums[2]).toBe(commitSums(tileOf(product, output, tile)))

  const position = { node: product.node, ...tile, depth: 2 }
  const block: ProvableBlock = { ...about, position }
  const { kind, verifierVersion, proof } = await prover.prove(block)
  expect({ kind, verifierVersion }).toEqual({ kind: 'v3', verifierVersion: 3 })
  const { a, b } = operandBlocks(product, input, position)
  const [commitIn = 0n, commitOut = 0n] = sums.slice(1)
  const known = {
    ...block,
    commitA: commitOperand(a, 'a'),
    commitB: commitOperand(b, 'b'),
    commitIn,
    commitOut,
  }
  const key = parseVerifyingKey(
    JSON.parse(await readFile(path.join(folder, 'task-proof-v3.vkey.json'), 'utf8')),
  )
  const verifier = key.ok ? await openVerifier(key.value) : key
  if (!verifier.ok) throw new Error(verifier.refusal.detail)
  const holds = (facts: typeof known): boolean =>
    verifier.value.verify(proof, taskProofV3Signals(facts, sha256)).ok
  expect(holds(known)).toBe(true)
  const others: readonly Partial<typeof known>[] = [
    { taskId: '03'.repeat(16) as never },
    { deliveryId: '03'.repeat(16) as never },
    { workerId: 'ff'.repeat(32) as never },
    { outputDigest: '03'.repeat(32) as never },
    { position: { ...position, depth: 1 } },
    { position: { ...position, tileRow: 0 } },
    { commitIn: commitOut },
    { commitOut: commitIn },
    { commitA: known.commitB },
  ]
  for (const change of others) expect(holds({ ...known, ...change })).toBe(false)
})

test('a key that cannot be had is asked for again', async () => {
  let tries = 0
  const prover = createBlockProver(async (...asked) => {
    if (tries++ === 0) throw new Error('nothing answers')
    return load(...asked)
  }, sha256)
  const block: ProvableBlock = {
    ...about,
    position: { node: product.node, tileRow: 0, tileColumn: 0, depth: 0 },
  }
  await expect(prover.prove(block)).rejects.toThrow('nothing answers')
  expect(await prover.prove(block)).toMatchObject({ kind: 'v3' })
})
