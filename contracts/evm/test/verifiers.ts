// The contracts of one kind under a trapdoor key, compiled, and if wanted changed in their text first.

import { parseVerifyingKey, type VerifyingKey } from '@shardy/proofs'
import { type Contract, compile, readSources, type Sources } from '../src/compile.ts'
import { groth16Verifier } from '../src/groth16Verifier.ts'
import { type TrapdoorKey, trapdoorKey } from './trapdoor.ts'

export type Kind = 'v2' | 'v3'
export const signalCounts = { v2: 4, v3: 10 } as const satisfies Record<Kind, number>

const keys = new Map<Kind, TrapdoorKey>()

export function keyOf(kind: Kind): TrapdoorKey {
  const key = keys.get(kind) ?? trapdoorKey(signalCounts[kind], `trapdoor of ${kind}`)
  keys.set(kind, key)
  return key
}

export function verifyingKeyOf(kind: Kind): VerifyingKey {
  const key = parseVerifyingKey(JSON.parse(keyOf(kind).json))
  if (!key.ok) throw new Error(key.refusal.detail)
  return key.value
}

/** The files that a kind's contract is made of. */
export function sourcesOf(kind: Kind): Sources {
  const name = `Groth16Verifier${kind.toUpperCase()}`
  return {
    ...readSources(['Groth16.sol', `TaskProof${kind.toUpperCase()}.sol`]),
    [`${name}.sol`]: groth16Verifier(verifyingKeyOf(kind), {
      name,
      circuit: `task-proof-${kind}`,
      verifierVersion: kind === 'v2' ? 2 : 3,
      trust: 'development',
      circuitSha256: 'c1'.repeat(32),
      verifyingKeySha256: '5e'.repeat(32),
    }),
  }
}

/** `TaskProofV2` or `TaskProofV3`, which is the verifier and the statement. */
export function taskProof(kind: Kind, sources: Sources = sourcesOf(kind)): Contract {
  return compile(sources, `TaskProof${kind.toUpperCase()}`)
}
