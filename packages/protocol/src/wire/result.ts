/**
 * The answer (spec W23–W26): where other workers have the same task, a commitment first, and the result once commitments
 * are closed. One raw frame follows when `outputIncluded` says so or parts of a transcript are announced.
 */
import type { ProgramId, WorkerId } from '../ids.ts'
import { payloadBytesMax, transcriptPartsMax } from '../limits.ts'
import { zkProofPayload } from '../proof/payload.ts'
import { flag, list, optional, whole } from '../schema/codec.ts'
import { field, type Infer, message } from '../schema/message.ts'
import { attestation } from '../statement/attestation.ts'
import { salt } from '../statement/commitment.ts'
import type { Statement } from '../statement/statement.ts'
import { deliveryId, digest } from '../values.ts'
import { type Delivery, deliveryStatement } from './delivery.ts'

export const result = message('Result', {
  deliveryId: field(1, deliveryId),
  outputDigest: field(2, digest),
  outputLength: field(3, whole(0, payloadBytesMax)),
  outputIncluded: field(4, flag()),
  attestation: field(5, attestation.codec),
  /** The root of the trace (spec S7), where the worker kept one. */
  traceRoot: field(6, optional(digest)),
  /** Opens the commitment, where one was asked for. */
  salt: field(7, optional(salt)),
  /** The lengths of the transcript's parts (C1), which follow the output in its raw frame. */
  partLengths: field(8, list(whole(1, payloadBytesMax), transcriptPartsMax)),
  /** Where one was asked for that is made with the answer. */
  proof: field(9, optional(zkProofPayload.codec)),
})
export type Result = Infer<typeof result>

/** What the worker's attestation on a result covers. */
export function resultStatement(
  delivery: Pick<Delivery, 'taskId' | 'deliveryId' | 'seed' | 'payloadDigest' | 'deadlineMs'>,
  programId: ProgramId,
  workerId: WorkerId,
  { outputDigest, traceRoot }: Pick<Result, 'outputDigest' | 'traceRoot'>,
): Statement {
  return { ...deliveryStatement(delivery, programId, workerId), role: 'result', outputDigest, traceRoot }
}
