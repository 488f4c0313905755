/**
 * The delivery (spec W20–W22): a meta frame, then, when there is input, one raw frame of exactly `payloadLength`
 * bytes whose SHA-256 is `payloadDigest`.
 */
import type { ProgramId, WorkerId } from '../ids.ts'
import { messageLengthMax, payloadBytesMax, programBytesMax } from '../limits.ts'
import { wantedProof } from '../proof/payload.ts'
import { bits64, blob, choice, flag, optional, text, whole } from '../schema/codec.ts'
import { field, type Infer, message } from '../schema/message.ts'
import { attestation } from '../statement/attestation.ts'
import type { Statement } from '../statement/statement.ts'
import { deliveryId, digest, taskId, taskKind, timeMs } from '../values.ts'

export const delivery = message('Delivery', {
  taskId: field(1, taskId),
  deliveryId: field(2, deliveryId),
  kind: field(3, taskKind),
  /** The program's canonical bytes; its id is their hash. */
  program: field(4, blob(programBytesMax)),
  /** For programs that draw numbers. */
  seed: field(5, bits64()),
  /** Multiply-adds, so that a worker can judge whether it will be in time. */
  complexity: field(6, whole(0, Number.MAX_SAFE_INTEGER)),
  /** The zero-knowledge proof that is to come with the answer, or, of kind v3, when it is audited. */
  proof: field(7, optional(wantedProof.codec)),
  payloadLength: field(8, whole(0, payloadBytesMax)),
  payloadDigest: field(9, digest),
  deadlineMs: field(10, timeMs),
  /** Commit to the answer first and reveal it when asked: other workers have the same task. */
  commitFirst: field(11, flag()),
  /** False: only the output's digest is wanted. */
  returnOutput: field(12, flag()),
  attestation: field(13, attestation.codec),
  /** Send the transcript that the interactive check needs (C1). */
  returnTranscript: field(14, flag()),
})
export type Delivery = Infer<typeof delivery>

/** What the orchestrator's attestation on a delivery covers. */
export function deliveryStatement(
  {
    taskId,
    deliveryId,
    seed,
    payloadDigest,
    deadlineMs,
  }: Pick<Delivery, 'taskId' | 'deliveryId' | 'seed' | 'payloadDigest' | 'deadlineMs'>,
  programId: ProgramId,
  workerId: WorkerId,
): Statement {
  return {
    role: 'delivery',
    taskId,
    deliveryId,
    programId,
    seed,
    inputDigest: payloadDigest,
    outputDigest: undefined,
    workerId,
    deadlineMs,
    traceRoot: undefined,
  }
}

/** Frames about a delivery that carry nothing but its id. */
export const ack = message('Ack', { deliveryId: field(1, deliveryId) })
export type Ack = Infer<typeof ack>

export const progress = message('Progress', {
  deliveryId: field(1, deliveryId),
  permille: field(2, whole(0, 1000)),
})
export type Progress = Infer<typeof progress>

/** Why a worker hands a delivery back. None of these is held against anyone. */
export const rejectReasons = [
  'busy',
  'paused',
  'unsupported',
  'tooLarge',
  'corrupted',
  'badAttestation',
  'outOfTime',
  'deviceLost',
  'executionFailed',
] as const
export type RejectReason = (typeof rejectReasons)[number]

export const reject = message('Reject', {
  deliveryId: field(1, deliveryId),
  reason: field(2, choice(rejectReasons)),
  message: field(3, text(messageLengthMax)),
})
export type Reject = Infer<typeof reject>

/** The orchestrator no longer wants a delivery's answer. */
export const cancelReasons = ['taskCancelled', 'taskDecided', 'leaseExpired', 'shuttingDown'] as const
export type CancelReason = (typeof cancelReasons)[number]

export const cancel = message('Cancel', {
  deliveryId: field(1, deliveryId),
  reason: field(2, choice(cancelReasons)),
})
export type Cancel = Infer<typeof cancel>

/**
 * What became of a delivery. Only `accepted` is paid. `disagreed` says that others agreed on another answer; `wrong` that
 * the answer was checked and is not the program's.
 */
export const outcomes = [
  'accepted',
  'disagreed',
  'lost',
  'rejected',
  'corrupted',
  'superseded',
  'wrong',
] as const
export type Outcome = (typeof outcomes)[number]
