/**
 * Checks the evidence of a dispute on this machine (docs/spec/dispute.md, B21): two workers signed different results, and
 * executing one operation from blobs shows which of them, or both, cannot be right. Nobody's word is taken.
 */
import { executeQuestion, openCheckTools, outlineOf } from '@shardy/compute'
import { decodeWork, factsOf } from '@shardy/compute/work'
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
  /** Multiply-adds that this machine will spend on it; 2^40, which is a minute or less, unless given. */
  readonly workMax?: number | undefined
}

export type EvidenceVerdict =
  | CheckedEvidence
  | { readonly ok: false; readonly unreadable: string }
  /** Not false, but one operation of this program may cost more than was allowed. */
  | { readonly ok: false; readonly tooMuchWork: number }

const workMaxDefault = 2 ** 40

export async function checkDisputeEvidence(
  bytes: Uint8Array,
  { sha256, verify, blob, workMax = workMaxDefault }: EvidenceAdapters,
): Promise<EvidenceVerdict> {
  const decoded = evidence.decode(bytes)
  if (!decoded.ok) return { ok: false, unreadable: describeRefusal(decoded.refusal) }
  const { compute } = await openCheckTools(sha256)
  const blobs = new Map<Digest, Uint8Array>()
  const digestOf = (content: Uint8Array) => encodeHex(sha256(content)) as Digest
  const reexecute = (question: Question): Digest | undefined => {
    const answer = executeQuestion(question, blobs, compute)
    return answer && digestOf(answer)
  }
  const tools = { sha256, verify, outline: outlineOf, reexecute }
  // Without blobs first: what is forged is found before anything is fetched.
  const first = checkEvidence(decoded.value, tools)
  if (first.ok || first.problem.kind !== 'blobsMissing') return first
  const read = decodeWork('program', decoded.value.program)
  const work = read.ok ? factsOf(read.work).complexity : 0
  if (work > workMax) return { ok: false, tooMuchWork: work }
  for (const digest of first.problem.blobs) {
    const content = await blob(digest)
    if (content !== undefined && digestOf(content) === digest) blobs.set(digest, content)
  }
  return checkEvidence(decoded.value, tools)
}
