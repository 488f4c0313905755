/**
 * What is kept of tasks and workers: plain values with a canonical encoding of their own. A task is one record, its
 * deliveries and its history within, so that no crash can leave parts of it at odds. The store's schema version covers
 * this file.
 */
import {
  attestation,
  bases,
  bits64,
  blob,
  checkMechanisms,
  choice,
  constantsMax,
  deadReasons,
  deliveriesPerTaskMax,
  deliveryStates,
  eventTypes,
  featureLengthMax,
  featuresMax,
  field,
  flag,
  hardwareClassLengthMax,
  type Infer,
  list,
  message,
  messageLengthMax,
  operatorLengthMax,
  optional,
  outcomes,
  payloadBytesMax,
  priorityMax,
  programBytesMax,
  provenBlock,
  publicKey,
  regionLengthMax,
  type TaskStatus,
  taskStatuses,
  text,
  tierMax,
  values,
  verifyPolicy,
  whole,
  zkProofPayload,
} from '@shardy/protocol'

const safeInteger = Number.MAX_SAFE_INTEGER

/** What was asked. It never changes. */
export const taskSpec = message('TaskSpec', {
  taskId: field(1, values.taskId),
  requesterId: field(2, values.requesterId),
  /** What was asked, byte for byte: the same idempotency key with another request is a conflict. */
  requestDigest: field(3, values.digest),
  kind: field(4, values.taskKind),
  program: field(5, blob(programBytesMax)),
  programId: field(6, values.programId),
  seed: field(7, bits64()),
  complexity: field(8, whole(0, safeInteger)),
  inputDigest: field(9, values.digest),
  inputLength: field(10, whole(0, payloadBytesMax)),
  outputLength: field(11, whole(0, payloadBytesMax)),
  /** Blobs that the program names, which workers fetch beside the input and may keep from an earlier task. */
  constants: field(12, list(values.digest, constantsMax)),
  constantBytes: field(13, whole(0, safeInteger)),
  /** What whoever runs it may have to hold at a time. */
  memoryBytes: field(14, whole(0, safeInteger)),
  verify: field(15, verifyPolicy.codec),
  proof: field(16, values.proofKind),
  /** Every device gives the same bits, so that a different answer is a wrong one. */
  exact: field(17, flag()),
  priority: field(18, whole(0, priorityMax)),
  tierMin: field(19, whole(0, tierMax)),
  features: field(20, list(text(featureLengthMax), featuresMax)),
  /** Workers there are preferred; empty: anywhere. */
  region: field(21, text(regionLengthMax)),
  /** For the whole task; divided among the workers that are paid. */
  rewardMicroCredit: field(22, values.microCredit),
  keepOutput: field(23, flag()),
  submittedAtMs: field(24, values.timeMs),
  /** Not decided by then: dead. */
  deadlineMs: field(25, values.timeMs),
  /** The campaign that it belongs to, and which of its items. */
  campaignId: field(26, optional(values.taskId)),
  campaignItem: field(27, whole(0, safeInteger)),
})
export type TaskSpec = Infer<typeof taskSpec>

export const deliveryRecord = message('DeliveryRecord', {
  deliveryId: field(1, values.deliveryId),
  workerId: field(2, values.workerId),
  state: field(3, choice(deliveryStates)),
  leasedAtMs: field(4, values.timeMs),
  /** The signed end of the lease: committed or answered by then, or lost. */
  deadlineMs: field(5, values.timeMs),
  /** When this delivery is given up: the lease's end at first, later the end of the time to reveal. */
  dueMs: field(6, values.timeMs),
  commitment: field(7, optional(values.digest)),
  outputDigest: field(8, optional(values.digest)),
  traceRoot: field(9, optional(values.digest)),
  /** The worker's signature over its answer. */
  answer: field(10, optional(attestation.codec)),
  outcome: field(11, optional(choice(outcomes))),
  rewardMicroCredit: field(12, values.microCredit),
  /** Lost through no doing of the worker's, which may have the task again. */
  excused: field(13, flag()),
  operator: field(14, text(operatorLengthMax)),
  hardwareClass: field(15, text(hardwareClassLengthMax)),
  /** When the worker was bound to its answer for good. */
  answeredAtMs: field(16, optional(values.timeMs)),
  /** Verified before the answer counted as one. */
  proof: field(17, optional(zkProofPayload.codec)),
  /** What a proof of kind v3 is about. */
  block: field(18, optional(provenBlock.codec)),
})

export const historyEntry = message('HistoryEntry', {
  atMs: field(1, values.timeMs),
  type: field(2, choice(eventTypes)),
  /** Which delivery it is about, counted from 1; 0: the task. */
  attempt: field(3, whole(0, deliveriesPerTaskMax)),
  outputDigest: field(4, optional(values.digest)),
  detail: field(5, text(messageLengthMax)),
})
export type HistoryEntry = Infer<typeof historyEntry>

export const revivalsMax = 255

/** What a task's history may hold: seven words for each delivery, two for each of its lives, and some of its own. */
const historyMax = 7 * deliveriesPerTaskMax + 2 * (revivalsMax + 1) + 4

export const taskRecord = message('TaskRecord', {
  spec: field(1, taskSpec.codec),
  status: field(2, choice(taskStatuses)),
  /** How often an operator has put it back to work. */
  revivals: field(3, whole(0, revivalsMax)),
  deliveries: field(4, list(deliveryRecord.codec, deliveriesPerTaskMax)),
  /** Deliveries that came to nothing since the last revival; drives the backoff. */
  failures: field(5, whole(0, deliveriesPerTaskMax)),
  /** Deliveries of earlier lives, which no longer count as attempts. */
  attemptsSpent: field(6, whole(0, deliveriesPerTaskMax)),
  notBeforeMs: field(7, values.timeMs),
  /** May be later than asked for after a revival. */
  deadlineMs: field(8, values.timeMs),
  mismatched: field(9, flag()),
  decidedAtMs: field(10, optional(values.timeMs)),
  outputDigest: field(11, optional(values.digest)),
  deadReason: field(12, optional(choice(deadReasons))),
  basis: field(13, optional(choice(bases))),
  checkedBy: field(14, optional(choice(checkMechanisms))),
  history: field(15, list(historyEntry.codec, historyMax)),
})

/** As the store keeps it and gives it back. */
export type TaskRecord = Infer<typeof taskRecord>
export type DeliveryRecord = Infer<typeof deliveryRecord>

/** Counts that halve with time, in millionths. */
const reputationRecord = message('ReputationRecord', {
  accepted: field(1, whole(0, safeInteger)),
  wrong: field(2, whole(0, safeInteger)),
  lost: field(3, whole(0, safeInteger)),
  rejected: field(4, whole(0, safeInteger)),
  corrupted: field(5, whole(0, safeInteger)),
  updatedAtMs: field(6, values.timeMs),
})

const quarantineRecord = message('QuarantineRecord', {
  passedBenchmark: field(1, flag()),
  cleanAuditsLeft: field(2, whole(0, safeInteger)),
})

const conductRecord = message('ConductRecord', {
  offences: field(1, whole(0, safeInteger)),
  lastOffenceAtMs: field(2, values.timeMs),
  heldMicroCredit: field(3, values.microCredit),
  heldUntilMs: field(4, values.timeMs),
  quarantine: field(5, optional(quarantineRecord.codec)),
  isBanned: field(6, flag()),
})

/** What a worker has done so far, kept with its key for good: receipts name everybody who had a delivery. */
export const standingRecord = message('StandingRecord', {
  workerId: field(1, values.workerId),
  publicKey: field(2, publicKey()),
  /** When it was first given a delivery. */
  firstSeenMs: field(3, values.timeMs),
  acceptedCount: field(4, whole(0, safeInteger)),
  disagreedCount: field(5, whole(0, safeInteger)),
  wrongCount: field(6, whole(0, safeInteger)),
  lostCount: field(7, whole(0, safeInteger)),
  rejectedCount: field(8, whole(0, safeInteger)),
  corruptedCount: field(9, whole(0, safeInteger)),
  reputation: field(10, reputationRecord.codec),
  conduct: field(11, conductRecord.codec),
})
export type StandingRecord = Infer<typeof standingRecord>

/** An audit whose task has ended, kept until it is decided: who has its task ended in time escapes it by no restart (spec D30). */
export const lateAuditRecord = message('LateAuditRecord', {
  taskId: field(1, values.taskId),
  deliveryId: field(2, values.deliveryId),
  submittedAtMs: field(3, values.timeMs),
  /** What it has put at risk of its worker's stake. */
  exposureMicroCredit: field(4, values.microCredit),
})
export type LateAuditRecord = Infer<typeof lateAuditRecord>

export function lateAuditOf({ deliveryId, exposureMicroCredit, task }: Audited): LateAuditRecord {
  const { taskId, submittedAtMs } = task.spec
  return { taskId, deliveryId, submittedAtMs, exposureMicroCredit }
}

interface Audited extends Pick<LateAuditRecord, 'deliveryId' | 'exposureMicroCredit'> {
  readonly task: { readonly spec: Pick<TaskSpec, 'taskId' | 'submittedAtMs'> }
}

export function isEnded(status: TaskStatus): boolean {
  return status !== 'waiting' && status !== 'running'
}

/** With its worker: neither answered nor settled. */
export function isOut({ state }: DeliveryRecord): boolean {
  return state !== 'answered' && state !== 'settled'
}

/** Still being computed, or waiting for that at its worker. */
export function isComputing({ state }: Pick<DeliveryRecord, 'state'>): boolean {
  return state === 'leased' || state === 'computing'
}
