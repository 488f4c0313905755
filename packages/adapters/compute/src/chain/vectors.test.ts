/**
 * `vectors/chain/chains.json` is what the reference executor computes. `WRITE_VECTORS=1 bun test` on this file writes it again, which
 * is for a rule that changed on purpose: every other implementation has to follow.
 */
import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type ChainSize, decodeBenchmark, drawBenchmark, encodeBenchmark, encodeOpening } from '@shardy/chain'
import { type Digest, encodeHex } from '@shardy/protocol'
import { createReferenceExecutor } from '../reference.ts'
import { runBenchmark } from './chain.ts'

const file = path.join(import.meta.dir, '../../../../../vectors/chain/chains.json')
const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())

const sizes: readonly ChainSize[] = [
  { kind: 'product', rows: 3, width: 256, steps: 32, checkpointEvery: 16 },
  { kind: 'product', rows: 1, width: 1024, steps: 16, checkpointEvery: 16 },
  { kind: 'lite', rows: 2, width: 256, steps: 48, checkpointEvery: 16 },
]

test('chains.json is what the code computes', async () => {
  const executor = createReferenceExecutor()
  const chains = []
  for (const [index, size] of sizes.entries()) {
    const seed = encodeHex(sha256(Uint8Array.of(index))) as Digest
    const benchmark = drawBenchmark(seed, size)
    const bytes = encodeBenchmark(benchmark)
    expect(decodeBenchmark(bytes)).toEqual({ ok: true, value: benchmark })
    const { root, finalDigest, open } = await runBenchmark(executor, benchmark, { sha256 })
    const cell = { segment: size.steps / size.checkpointEvery - 1, row: size.rows - 1 }
    const opening = encodeHex(encodeOpening(open(cell)))
    chains.push({ ...benchmark, benchmark: encodeHex(bytes), root, finalDigest, cell, opening })
  }
  if (process.env.WRITE_VECTORS === '1') {
    writeFileSync(file, `${JSON.stringify({ chains }, null, 2)}\n`)
  }
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ chains })
})
