import { beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { sha256 } from '@shardy/crypto/native'
import { openField, openVerifier, parseVerifyingKey } from '@shardy/proofs'
import { encodeHex, taskProofV3Signals } from '@shardy/protocol'
import { inputLength, matmulProgram, provableProduct, tilePartialSums } from '@shardy/tensor'
import { createBlockProver } from './blockProver.ts'
import { cutBlock } from './cutBlock.ts'
import type { ProvableBlock } from './prover.ts'
import type { ProofKeyFiles } from './taskProver.ts'

const artifacts = path.join(import.meta.dir, '../../../circuits/artifacts')
const read = (name: string): Uint8Array => readFileSync(path.join(artifacts, name))
const files: ProofKeyFiles = {
  zkey: read('task-proof-v3.zkey'),
  vkey: JSON.parse(new TextDecoder().decode(read('task-proof-v3.vkey.json'))),
  wasm: read('task-proof-v3.wasm'),
}
const opened = await openField()
if (!opened.ok) throw new Error(opened.refusal.message)
const { commitOperand, commitSums } = opened.field

/** No side is a multiple of sixteen, and operands reach both ends of their range. */
const program = matmulProgram({ m: 20, k: 40, n: 33 })
const input = Uint8Array.from({ length: inputLength(program) }, (_, index) => (index % 5 ? index * 91 : 0x80))
const found = provableProduct(program)
if (!found.ok) throw new Error('no block of it can be proven')
const { product } = found
const tile = { tileRow: 1, tileColumn: 2 }
const blockAt = (depth: number): ProvableBlock => ({
  verifierVersion: 3,
  taskId: '0a'.repeat(16) as never,
  deliveryId: 'ff'.repeat(16) as never,
  workerId: 'e7'.repeat(32) as never,
  outputDigest: encodeHex(sha256(Uint8Array.of(1))) as never,
  outputLength: 4 * 20 * 33,
  product,
  input,
  position: { node: 0, ...tile, depth },
})

let loaded: unknown[]
let prover: ReturnType<typeof createBlockProver>
beforeAll(() => {
  loaded = []
  prover = createBlockProver(async (...asked) => {
    loaded.push(asked)
    return files
  }, sha256)
})

test('commits to the sums of a tile, in their order', async () => {
  const commitments = await prover.sums(product, input, tile)
  expect(commitments).toEqual(tilePartialSums(product, input, tile).map((sums) => commitSums(sums)))
  expect(loaded).toEqual([])
})

test('proves the first block of a tile and the last, at the edges, about nothing but that', async () => {
  const key = parseVerifyingKey(files.vkey)
  const verifier = key.ok ? await openVerifier(key.value) : key
  if (!verifier.ok) throw new Error(verifier.refusal.detail)
  const blocks = [blockAt(0), blockAt(2)]
  const made = await Promise.all(blocks.map((block) => prover.prove(block)))
  for (const [index, { kind, verifierVersion, proof }] of made.entries()) {
    expect([kind, verifierVersion]).toEqual(['v3', 3])
    const block = blocks[index] as ProvableBlock
    const { a, b, before, after } = cutBlock(block)
    const about = {
      ...block,
      commitA: commitOperand(a, 'a'),
      commitB: commitOperand(b, 'b'),
      commitIn: commitSums(before),
      commitOut: commitSums(after),
    }
    const verdict = (changes: Partial<typeof about> = {}) =>
      verifier.value.verify(proof, taskProofV3Signals({ ...about, ...changes }, sha256))
    expect(verdict()).toEqual({ ok: true })
    const refused = { ok: false, refusal: { code: 'false' } }
    expect(verdict({ deliveryId: 'fe'.repeat(16) as never })).toMatchObject(refused)
    expect(verdict({ workerId: 'e8'.repeat(32) as never })).toMatchObject(refused)
    expect(verdict({ position: { ...block.position, depth: 1 } })).toMatchObject(refused)
    expect(verdict({ commitOut: about.commitIn })).toMatchObject(refused)
  }
  expect(loaded).toEqual([['v3', 3]])
}, 60_000)

test('a key that does not fit is found out before anything is sent, and the next block is not held up', async () => {
  let tries = 0
  const failing = createBlockProver(async () => {
    if (tries++ === 0) throw new Error('nothing answers')
    return { ...files, wasm: undefined }
  }, sha256)
  await expect(failing.prove(blockAt(0))).rejects.toThrow('nothing answers')
  await expect(failing.prove(blockAt(0))).rejects.toThrow("the circuit's own program is missing")
  expect(await failing.sums(product, input, tile)).toHaveLength(3)
})
