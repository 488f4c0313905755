import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { sha256 } from '@shardy/crypto/native'
import { openVerifier, parseVerifyingKey } from '@shardy/proofs'
import { encodeHex, taskProofV2Signals } from '@shardy/protocol'
import type { Provable } from './prover.ts'
import { createTaskProver, type ProofKeyFiles } from './taskProver.ts'

const artifacts = path.join(import.meta.dir, '../../../circuits/artifacts')
const files: ProofKeyFiles = {
  zkey: readFileSync(path.join(artifacts, 'task-proof-v2.zkey')),
  vkey: JSON.parse(readFileSync(path.join(artifacts, 'task-proof-v2.vkey.json'), 'utf8')),
  wasm: undefined,
}

const answerOf = (number: number, verifierVersion = 2): Provable => ({
  kind: 'v2',
  verifierVersion,
  taskId: encodeHex(sha256(Uint8Array.of(number)).subarray(0, 16)) as never,
  seed: BigInt(number) * 0x0123_4567_89ab_cdefn,
  outputDigest: encodeHex(sha256(Uint8Array.of(number, 1))) as never,
  outputLength: number * 1000,
})

test('proves each answer with the key of its version, in their order', async () => {
  const loaded: number[] = []
  const prover = createTaskProver(async (_, version) => {
    loaded.push(version)
    return files
  }, sha256)
  const answers = [answerOf(1), answerOf(2, 7), answerOf(3)]
  const payloads = await prover.prove(answers)
  expect(payloads.map(({ verifierVersion }) => verifierVersion)).toEqual([2, 7, 2])
  const key = parseVerifyingKey(files.vkey)
  const opened = key.ok ? await openVerifier(key.value) : key
  if (!opened.ok) throw new Error(opened.refusal.detail)
  for (const [index, { proof }] of payloads.entries()) {
    const answer = answers[index] as Provable
    expect(opened.value.verify(proof, taskProofV2Signals(answer, sha256))).toEqual({ ok: true })
    const other = taskProofV2Signals({ ...answer, outputLength: answer.outputLength + 1 }, sha256)
    expect(opened.value.verify(proof, other)).toMatchObject({ ok: false, refusal: { code: 'false' } })
  }
  await prover.prove([answerOf(4)])
  expect(loaded).toEqual([2, 7])
})

test('a key that could not be had is asked for again', async () => {
  let tries = 0
  const prover = createTaskProver(async () => {
    if (tries++ === 0) throw new Error('nothing answers')
    return files
  }, sha256)
  await expect(prover.prove([answerOf(1)])).rejects.toThrow('nothing answers')
  expect(await prover.prove([answerOf(1)])).toHaveLength(1)
})

test('a proving key of another relation is found out before anything is sent', async () => {
  const vkey = { ...(files.vkey as { IC: unknown[] }) }
  vkey.IC = [vkey.IC[1], vkey.IC[0], ...vkey.IC.slice(2)]
  const prover = createTaskProver(async () => ({ ...files, vkey }), sha256)
  await expect(prover.prove([answerOf(1)])).rejects.toThrow('a proof that was just made is refused')
})

test('other kinds are not made', async () => {
  const prover = createTaskProver(async () => files, sha256)
  await expect(prover.prove([{ ...answerOf(1), kind: 'v3' }])).rejects.toThrow('kind v3')
})
