/** What schema 3 kept of tasks, deliveries, workers and events: its records as they were, to be read and never written again. */
import {
  attestation,
  bits64,
  blob,
  choice,
  constantsMax,
  deadReasons,
  deliveriesPerTaskMax,
  field,
  flag,
  type Infer,
  list,
  message,
  messageLengthMax,
  optional,
  payloadBytesMax,
  programBytesMax,
  publicKey,
  text,
  values,
  whole,
} from '@shardy/protocol'

const safeInteger = Number.MAX_SAFE_INTEGER

// Their order numbered them in the records, so these lists stand still while those of the protocol grow.
const taskStatuses = ['waiting', 'running', 'verified', 'dead', 'cancelled'] as const
const deliveryStates = [
  'leased',
  'computing',
  'committed',
  'revealing',
  'revealed',
  'answered',
  'settled',
] as const
const outcomes = ['accepted', 'disagreed', 'lost', 'rejected', 'corrupted', 'superseded'] as const
const eventTypes = [
  'submitted',
  'delivered',
  'acked',
  'committed',
  'answered',
  'rejected',
  'lost',
  'corrupted',
  'consensus_mismatch',
  'task_verified',
  'task_dead',
  'task_cancelled',
] as const

export const oldTask = message('TaskRecord', {
  taskId: field(1, values.taskId),
  requesterId: field(2, values.requesterId),
  requestDigest: field(3, values.digest),
  kind: field(4, values.taskKind),
  program: field(5, blob(programBytesMax)),
  programId: field(6, values.programId),
  seed: field(7, bits64()),
  complexity: field(8, whole(0, safeInteger)),
  inputDigest: field(9, values.digest),
  inputLength: field(10, whole(0, payloadBytesMax)),
  outputLength: field(11, whole(0, payloadBytesMax)),
  redundancy: field(12, whole(2, 7)),
  rewardMicroCredit: field(13, values.microCredit),
  keepOutput: field(14, flag()),
  submittedAtMs: field(15, values.timeMs),
  deadlineMs: field(16, values.timeMs),
  status: field(17, choice(taskStatuses)),
  deliveryIds: field(18, list(values.deliveryId, deliveriesPerTaskMax)),
  failures: field(19, whole(0, deliveriesPerTaskMax)),
  notBeforeMs: field(20, values.timeMs),
  events: field(21, whole(0, safeInteger)),
  mismatched: field(22, flag()),
  decidedAtMs: field(23, optional(values.timeMs)),
  outputDigest: field(24, optional(values.digest)),
  deadReason: field(25, optional(choice(deadReasons))),
  constants: field(26, list(values.digest, constantsMax)),
  constantBytes: field(27, whole(0, safeInteger)),
})
export type OldTask = Infer<typeof oldTask>

/** Under its task's id and its own. */
export const oldDelivery = message('DeliveryRecord', {
  deliveryId: field(1, values.deliveryId),
  taskId: field(2, values.taskId),
  workerId: field(3, values.workerId),
  state: field(4, choice(deliveryStates)),
  leasedAtMs: field(5, values.timeMs),
  deadlineMs: field(6, values.timeMs),
  dueMs: field(7, values.timeMs),
  commitment: field(8, optional(values.digest)),
  outputDigest: field(9, optional(values.digest)),
  answer: field(10, optional(attestation.codec)),
  outcome: field(11, optional(choice(outcomes))),
  rewardMicroCredit: field(12, values.microCredit),
  traceRoot: field(13, optional(values.digest)),
})
export type OldDelivery = Infer<typeof oldDelivery>

export const oldStanding = message('StandingRecord', {
  workerId: field(1, values.workerId),
  publicKey: field(2, publicKey()),
  firstSeenMs: field(3, values.timeMs),
  acceptedCount: field(4, whole(0, safeInteger)),
  disagreedCount: field(5, whole(0, safeInteger)),
  earnedMicroCredit: field(6, values.microCredit),
})
export type OldStanding = Infer<typeof oldStanding>

/** Under its task's id and its sequence. */
export const oldEvent = message('EventRecord', {
  taskId: field(1, values.taskId),
  sequence: field(2, whole(1, safeInteger)),
  atMs: field(3, values.timeMs),
  type: field(4, choice(eventTypes)),
  deliveryId: field(5, optional(values.deliveryId)),
  workerId: field(6, optional(values.workerId)),
  outputDigest: field(7, optional(values.digest)),
  detail: field(8, text(messageLengthMax)),
})
export type OldEvent = Infer<typeof oldEvent>
