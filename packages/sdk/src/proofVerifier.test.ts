import { expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { sha256 } from '@shardy/crypto/native'
import { createV2Prover, v2Signals } from '@shardy/proofs'
import { createProofVerifier } from './proofVerifier.ts'

const folder = path.join(import.meta.dir, '../../../circuits/artifacts')
const proof = { kind: 'v2', verifierVersion: 2, proof: new Uint8Array(256) } as const

test('files that cannot be had once are asked for again', async () => {
  const missing = new Set(['manifest.json', 'task-proof-v2.vkey.json'])
  const verify = createProofVerifier(async (name) => {
    if (missing.delete(name)) throw new Error('the line broke')
    return readFile(path.join(folder, name))
  }, sha256)
  const kinds: string[] = []
  for (let time = 0; time < 3; time++) kinds.push((await verify(proof, [1n, 2n, 3n, 4n])).kind)
  expect(kinds).toEqual(['unknown', 'unknown', 'false'])
})

test('that the key of a proof is retired is told beside that it holds', async () => {
  const statement = { taskId: 1n, seed: 2n, outputLength: 3n, resultDigest: 4n }
  const prover = await createV2Prover(await readFile(path.join(folder, 'task-proof-v2.zkey')))
  const made = { ...proof, proof: prover.prove(statement) }
  for (const [status, retired] of [
    ['active', {}],
    ['accepted', {}],
    ['retired', { isRetired: true }],
  ] as const) {
    const verify = createProofVerifier(async (name) => {
      const bytes = await readFile(path.join(folder, name))
      if (name !== 'manifest.json') return bytes
      const { format, versions } = JSON.parse(bytes.toString())
      const [version] = versions
      return Buffer.from(JSON.stringify({ format, versions: [{ ...version, status }] }))
    }, sha256)
    expect(await verify(made, v2Signals(statement))).toEqual({
      kind: 'holds',
      trust: 'development',
      ...retired,
    })
  }
})
