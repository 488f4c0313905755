/**
 * A commitment to an answer (spec S6): it hides digest and trace root behind a random salt and is bound to worker and
 * delivery, so an answer seen on the wire cannot be committed to by somebody else. It does not hinder workers who agree
 * beforehand to give the same wrong answer.
 */
import type { Sha256 } from '../hash.ts'
import type { Digest } from '../ids.ts'
import { domainPayload } from '../payload.ts'
import { hex, optional } from '../schema/codec.ts'
import { encodeHex } from '../schema/hex.ts'
import { field, type Infer, message } from '../schema/message.ts'
import { deliveryId, digest, workerId } from '../values.ts'

export const salt = hex<string>(32)

/** What a commitment hashes. */
export const commitmentContent = message('CommitmentContent', {
  workerId: field(1, workerId),
  deliveryId: field(2, deliveryId),
  outputDigest: field(3, digest),
  salt: field(4, salt),
  /** Bound as well: who sees another's trace root after committing can no longer take it for its own. */
  traceRoot: field(5, optional(digest)),
})

export function commitTo(content: Infer<typeof commitmentContent>, sha256: Sha256): Digest {
  return encodeHex(sha256(domainPayload('commitment', commitmentContent.encode(content)))) as Digest
}
