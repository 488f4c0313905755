/**
 * A zero-knowledge proof on its way (docs/spec/wire.md W29): which key verifies it, and the 256 bytes. What it is about it does
 * not say: whoever verifies knows the delivery and its answer, and takes the public signals from there. Nobody signs it:
 * anyone can make another proof of the same statement out of it, so nothing may depend on its bytes.
 */
import { choice, whole } from '../schema/codec.ts'
import { field, type Infer, message } from '../schema/message.ts'
import type { ProofKind } from '../values.ts'
import { proofBytes } from './proofBytes.ts'

/** The kinds that are proofs. */
export const madeProofKinds = ['v2', 'v3'] as const satisfies readonly ProofKind[]
export type MadeProofKind = (typeof madeProofKinds)[number]

export const verifierVersionMax = 65_535

/** What a delivery asks for: a proof of this kind, made with the key of this version (an entry of the manifest). */
export const wantedProof = message('WantedProof', {
  kind: field(1, choice(madeProofKinds)),
  verifierVersion: field(2, whole(1, verifierVersionMax)),
})
export type WantedProof = Infer<typeof wantedProof>

export const zkProofPayload = message('ZkProofPayload', {
  kind: field(1, choice(madeProofKinds)),
  verifierVersion: field(2, whole(1, verifierVersionMax)),
  proof: field(3, proofBytes()),
})
export type ZkProofPayload = Infer<typeof zkProofPayload>

/** What a worker names among its features when it makes proofs of a kind: only such are given tasks that ask for them. */
export function proofFeature(kind: MadeProofKind): string {
  return `proof-${kind}`
}
