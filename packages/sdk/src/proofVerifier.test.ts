import { expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { sha256 } from '@shardy/crypto/native'
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
