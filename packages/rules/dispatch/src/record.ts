/**
 * What is kept of tasks, deliveries, workers and events: plain values with a canonical encoding of their own, so a
 * store can hold them and a log of inputs can be replayed against them. The store's schema version covers this file.
 */
import {
  type Attestation,
  attestation,
  bits64,
  blob,
  choice,
  constantsMax,
  deadReasons,
  deliveriesPerTaskMax,
  deliveryStates,
  eventTypes,
  field,
  flag,
  type Infer,
  list,
  message,
  messageLengthMax,
  optional,
  outcomes,
  payloadBytesMax,
  programBytesMax,
  publicKey,
  redundancyMax,
  redundancyMin,
  type TaskStatus,
  taskStatuses,
  text,
  values,
  whole,
} from '@shardy/protocol'

const safeInteger = Number.MAX_SAFE_INTEGER

export const taskRecord = message('TaskRecord', {
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
  redundancy: field(12, whole(redundancyMin, redundancyMax)),
  /** For the whole task; divided among the workers that agreed. */
  rewardMicroCredit: field(13, values.microCredit),
  keepOutput: field(14, flag()),
  submittedAtMs: field(15, values.timeMs),
  /** Not verified by then: dead. */
  deadlineMs: field(16, values.timeMs),
  status: field(17, choice(taskStatuses)),
  deliveryIds: field(18, list(values.deliveryId, deliveriesPerTaskMax)),
  /** Deliveries that came to nothing; drives the backoff. */
  failures: field(19, whole(0, deliveriesPerTaskMax)),
  /** No new delivery before this time. */
  notBeforeMs: field(20, values.timeMs),
  events: field(21, whole(0, safeInteger)),
  mismatched: field(22, flag()),
  decidedAtMs: field(23, optional(values.timeMs)),
  outputDigest: field(24, optional(values.digest)),
  deadReason: field(25, optional(choice(deadReasons))),
  /** Blobs that the program names, which workers fetch beside the input and may keep from an earlier task. */
  constants: field(26, list(values.digest, constantsMax)),
  constantBytes: field(27, whole(0, safeInteger)),
})
export type TaskRecord = Infer<typeof taskRecord>

export const deliveryRecord = message('DeliveryRecord', {
  deliveryId: field(1, values.deliveryId),
  taskId: field(2, values.taskId),
  workerId: field(3, values.workerId),
  state: field(4, choice(deliveryStates)),
  leasedAtMs: field(5, values.timeMs),
  /** The signed end of the lease: committed or answered by then, or lost. */
  deadlineMs: field(6, values.timeMs),
  /** When this delivery is given up: the lease's end at first, later the end of the time to reveal. */
  dueMs: field(7, values.timeMs),
  commitment: field(8, optional(values.digest)),
  outputDigest: field(9, optional(values.digest)),
  /** The worker's signature over its answer. */
  answer: field(10, optional(attestation.codec)),
  outcome: field(11, optional(choice(outcomes))),
  rewardMicroCredit: field(12, values.microCredit),
  /** Revealed and signed with the digest, where the worker kept a trace. */
  traceRoot: field(13, optional(values.digest)),
})
export type DeliveryRecord = Infer<typeof deliveryRecord>
export type Answer = Attestation

/** With its worker: neither answered nor settled. */
export function isOut({ state }: DeliveryRecord): boolean {
  return state !== 'answered' && state !== 'settled'
}

/** Still being computed. */
export function takesSlot({ state }: DeliveryRecord): boolean {
  return state === 'leased' || state === 'computing'
}

/** What a worker has done so far. Nothing here is a reason to slash anyone. */
export const standingRecord = message('StandingRecord', {
  workerId: field(1, values.workerId),
  publicKey: field(2, publicKey()),
  /** When it was first given a delivery. */
  firstSeenMs: field(3, values.timeMs),
  acceptedCount: field(4, whole(0, safeInteger)),
  disagreedCount: field(5, whole(0, safeInteger)),
  earnedMicroCredit: field(6, values.microCredit),
})
export type StandingRecord = Infer<typeof standingRecord>

export const eventRecord = message('EventRecord', {
  taskId: field(1, values.taskId),
  sequence: field(2, whole(1, safeInteger)),
  atMs: field(3, values.timeMs),
  type: field(4, choice(eventTypes)),
  deliveryId: field(5, optional(values.deliveryId)),
  workerId: field(6, optional(values.workerId)),
  outputDigest: field(7, optional(values.digest)),
  detail: field(8, text(messageLengthMax)),
})
export type EventRecord = Infer<typeof eventRecord>

export function isEnded(status: TaskStatus): boolean {
  return status === 'verified' || status === 'dead' || status === 'cancelled'
}
