/** The development key of `task-proof-v2`, and statements that are true under it. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import {
  createV2Prover,
  fieldOrder,
  openVerifier,
  parseVerifyingKey,
  type Statement,
  type V2Statement,
  type Verifier,
  v2Signals,
} from '../src/index.ts'

const artifacts = path.join(import.meta.dir, '../../../../circuits/artifacts')

export const v2ZkeyBytes = (): Uint8Array =>
  new Uint8Array(readFileSync(path.join(artifacts, 'task-proof-v2.zkey')))
export const v2WasmBytes = (): Uint8Array =>
  new Uint8Array(readFileSync(path.join(artifacts, 'task-proof-v2.wasm')))
export const v2KeyJson = (): Record<string, unknown> =>
  JSON.parse(readFileSync(path.join(artifacts, 'task-proof-v2.vkey.json'), 'utf8'))

export function v2Statement(index: number): V2Statement {
  const n = BigInt(index + 1)
  return {
    taskId: (n * 0x9e3779b97f4a7c15f39cc0605cedc834n) % 2n ** 128n,
    seed: (n * 0x44504e32534e4152n) % 2n ** 64n,
    outputLength: 4_096n * n,
    resultDigest: (n * 0x2545f4914f6cdd1d_9e3779b97f4a7c15_f39cc0605cedc834_1082276bf3a27251n) % fieldOrder,
  }
}

export async function proveV2(count: number): Promise<readonly Statement[]> {
  const prover = await createV2Prover(v2ZkeyBytes())
  return Array.from({ length: count }, (_, index) => {
    const statement = v2Statement(index)
    return { proof: prover.prove(statement), signals: v2Signals(statement) }
  })
}

export async function openV2Verifier(json: unknown = v2KeyJson()): Promise<Verifier> {
  const key = parseVerifyingKey(json)
  if (!key.ok) throw new Error(key.refusal.detail)
  const verifier = await openVerifier(key.value)
  if (!verifier.ok) throw new Error(verifier.refusal.detail)
  return verifier.value
}

/** A key of the same shape under which nothing of v2 holds: two points have changed places. */
export function otherKeyJson(): Record<string, unknown> {
  const key = v2KeyJson()
  const [constant, first, ...rest] = key.IC as readonly unknown[]
  return { ...key, IC: [first, constant, ...rest] }
}
