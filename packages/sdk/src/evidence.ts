/**
 * Checks the evidence of a dispute on this machine (docs/spec/dispute.md, B21): two workers signed different results, and
 * executing one operation from blobs shows which of them, or both, cannot be right. Nobody's word is taken.
 */
import { executeQuestion, outlineOf } from '@shardy/compute'
import { type CheckedEvidence, checkEvidence, evidence, type Question } from '@shardy/dispute'
import {
  type Digest,
  describeRefusal,
  encodeHex,
  type PublicKey,
  type Sha256,
  type Signature,
} from '@shardy/protocol'

export interface EvidenceAdapters {
  readonly sha256: Sha256
  readonly verify: (publicKey: PublicKey, payload: Uint8Array, signature: Signature) => boolean
  /** The bytes of a blob, from wherever; they are compared with its digest here. Undefined when they are not to be had. */
  readonly blob: (digest: Digest) => Promise<Uint8Array | undefined>
}

export type EvidenceVerdict = CheckedEvidence | { readonly ok: false; readonly unreadable: string }

export async function checkDisputeEvidence(
  bytes: Uint8Array,
  { sha256, verify, blob }: EvidenceAdapters,
): Promise<EvidenceVerdict> {
  const decoded = evidence.decode(bytes)
  if (!decoded.ok) return { ok: false, unreadable: describeRefusal(decoded.refusal) }
  const blobs = new Map<Digest, Uint8Array>()
  const digestOf = (content: Uint8Array) => encodeHex(sha256(content)) as Digest
  const reexecute = (question: Question): Digest | undefined => {
    const answer = executeQuestion(question, blobs)
    return answer && digestOf(answer)
  }
  const tools = { sha256, verify, outline: outlineOf, reexecute }
  // Without blobs first: what is forged is found before anything is fetched.
  const first = checkEvidence(decoded.value, tools)
  if (first.ok || first.problem.kind !== 'blobsMissing') return first
  for (const digest of first.problem.blobs) {
    const content = await blob(digest)
    if (content !== undefined && digestOf(content) === digest) blobs.set(digest, content)
  }
  return checkEvidence(decoded.value, tools)
}
