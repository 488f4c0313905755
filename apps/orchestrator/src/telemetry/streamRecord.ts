/**
 * An event as the log keeps it, and the row that holds those of one commit. The store's schema version covers this
 * file. An event's sequence is not in its record: a row's key is the sequence of its last event.
 */
import { type StreamEventView, streamEventTypes } from '@shardy/api'
import {
  choice,
  field,
  type Infer,
  list,
  message,
  messageLengthMax,
  optional,
  text,
  values,
  whole,
} from '@shardy/protocol'

const safeInteger = Number.MAX_SAFE_INTEGER

/** What a task cost, over all its deliveries. */
export const spentRecord = message('SpentRecord', {
  /** Normalised work, as the cost model counts it. */
  workUnits: field(1, whole(0, safeInteger)),
  bytesIn: field(2, whole(0, safeInteger)),
  bytesOut: field(3, whole(0, safeInteger)),
  computeMs: field(4, whole(0, safeInteger)),
  replicas: field(5, whole(0, safeInteger)),
  /** What the verdict rests on, or how it was checked. */
  checkedBy: field(6, text(32)),
  rewardMicroCredit: field(7, values.microCredit),
})
export type SpentRecord = Infer<typeof spentRecord>

export const streamRecord = message('StreamRecord', {
  atMs: field(1, values.timeMs),
  type: field(2, choice(streamEventTypes)),
  /** Whose event it is. Without one, it is for operators and auditors alone. */
  requesterId: field(3, optional(values.requesterId)),
  taskId: field(4, optional(values.taskId)),
  deliveryId: field(5, optional(values.deliveryId)),
  workerId: field(6, optional(values.workerId)),
  outputDigest: field(7, optional(values.digest)),
  detail: field(8, text(messageLengthMax)),
  /** With a verdict. */
  spent: field(9, optional(spentRecord.codec)),
})
export type StreamRecord = Infer<typeof streamRecord>

/** A row is read whole, so it is kept small; a larger commit has several. */
export const recordsPerRowMax = 1_024

export const streamRow = message('StreamRow', {
  /** Bytes of all rows that were ever written before this one: what is kept is a difference of two. */
  bytesBefore: field(1, whole(0, safeInteger)),
  records: field(2, list(streamRecord.codec, recordsPerRowMax)),
})

/** Where the log begins, once something was let go: kept under sequence 0, which no event has. */
export const streamBeginning = message('StreamBeginning', {
  oldestCursor: field(1, whole(0, safeInteger)),
  bytesBefore: field(2, whole(0, safeInteger)),
})

/** An event with its place in the log. */
export interface StreamEvent {
  readonly sequence: number
  readonly record: StreamRecord
}

/** An answer is shown with the verdict and not before: somebody who listens could repeat it. */
const showsOutput: ReadonlySet<string> = new Set(['task_verified', 'task_accepted', 'offence', 'slashed'])

export function viewStreamEvent({ sequence, record }: StreamEvent): StreamEventView {
  const { atMs, type, taskId, deliveryId, workerId, outputDigest, detail, spent } = record
  return {
    cursor: String(sequence),
    atMs,
    type,
    ...(taskId && { taskId }),
    ...(deliveryId && { deliveryId }),
    ...(workerId && { workerId }),
    ...(outputDigest && showsOutput.has(type) && { outputDigest }),
    ...(detail !== '' && { detail }),
    ...(spent && { spent: { ...spent, rewardMicroCredit: String(spent.rewardMicroCredit) } }),
  }
}
