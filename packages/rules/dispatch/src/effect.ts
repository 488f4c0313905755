/**
 * What dispatch wants done, in order (spec D25). `save` comes first: nothing is sent before what justifies it is
 * durable.
 */
import type {
  CancelReason,
  DeliveryId,
  Digest,
  MicroCredit,
  Outcome,
  TaskId,
  WorkerId,
} from '@shardy/protocol'
import type { DeliveryRecord, EventRecord, StandingRecord, TaskRecord } from './record.ts'

/** One record to keep. Records are only ever replaced; forgetting an ended task is its owner's act. */
export type Row =
  | { readonly table: 'tasks'; readonly record: TaskRecord }
  | { readonly table: 'deliveries'; readonly record: DeliveryRecord }
  | { readonly table: 'standings'; readonly record: StandingRecord }
  | { readonly table: 'events'; readonly record: EventRecord }

/** A blob that a record begins to refer to, counted in the same batch as the record. */
export interface Reference {
  readonly digest: Digest
  readonly taskId: TaskId
}

export type IgnoredReason =
  | 'unknownTask'
  | 'unknownWorker'
  | 'unknownDelivery'
  | 'notYours'
  | 'alreadyAcked'
  | 'alreadyAnswered'
  | 'notCommitted'
  | 'alreadyCommitted'

export type Effect =
  | { readonly kind: 'save'; readonly rows: readonly Row[]; readonly references: readonly Reference[] }
  | { readonly kind: 'deliver'; readonly task: TaskRecord; readonly delivery: DeliveryRecord }
  | { readonly kind: 'closeCommitments'; readonly workerId: WorkerId; readonly deliveryId: DeliveryId }
  | {
      readonly kind: 'cancelDelivery'
      readonly workerId: WorkerId
      readonly deliveryId: DeliveryId
      readonly reason: CancelReason
    }
  | {
      readonly kind: 'settle'
      readonly workerId: WorkerId
      readonly deliveryId: DeliveryId
      readonly outcome: Outcome
      readonly rewardMicroCredit: MicroCredit
    }
  | { readonly kind: 'publish'; readonly event: EventRecord }
  /** The input changed nothing; a late, repeated or foreign message is not an error of ours. */
  | { readonly kind: 'ignored'; readonly reason: IgnoredReason }
  | { readonly kind: 'refused'; readonly refusal: SubmitRefusal }

export type SubmitRefusal =
  | { readonly kind: 'overloaded'; readonly liveTasksMax: number }
  | { readonly kind: 'duplicate'; readonly taskId: TaskId }

export function ignore(effects: Effect[], reason: IgnoredReason): void {
  effects.push({ kind: 'ignored', reason })
}
