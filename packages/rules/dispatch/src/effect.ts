/**
 * What follows from a step, in order. `check` and `compare` may be begun at once; everything else is carried out only
 * after the changes of the step are durable.
 */
import type {
  Attestation,
  CancelReason,
  DeliveryId,
  Digest,
  MicroCredit,
  Outcome,
  PublicKey,
  RequesterId,
  TaskId,
  WorkerId,
} from '@shardy/protocol'
import type { HistoryEntry } from './record.ts'
import type { Delivery, Task } from './task.ts'
import type { Consequence } from './trust/index.ts'

export type IgnoredReason =
  | 'unknownTask'
  | 'unknownWorker'
  | 'unknownDelivery'
  | 'notYours'
  | 'alreadyAcked'
  | 'alreadyAnswered'
  | 'alreadyChecked'
  | 'alreadyCommitted'
  | 'nothingChanged'

/** One worker's part of what a task pays. */
export interface Payout {
  readonly deliveryId: DeliveryId
  readonly workerId: WorkerId
  readonly rewardMicroCredit: MicroCredit
}

/** What the book is told, in the same atomic batch as the task's record. */
export type BookEffect =
  | {
      readonly kind: 'escrow'
      readonly taskId: TaskId
      readonly requesterId: RequesterId
      readonly rewardMicroCredit: MicroCredit
    }
  /** Without payouts everything goes back to the requester. */
  | {
      readonly kind: 'verdict'
      readonly task: Task
      readonly taskId: TaskId
      readonly requesterId: RequesterId
      readonly payouts: readonly Payout[]
    }
  /** An offence that costs the worker what it has locked. */
  | { readonly kind: 'slash'; readonly offence: Offence }

/**
 * A wrong answer of an exact kind. Both signatures and a re-execution that anybody can repeat: the delivery's statement is
 * the orchestrator's, the answer's the worker's.
 */
export interface Offence {
  readonly taskId: TaskId
  readonly deliveryId: DeliveryId
  readonly workerId: WorkerId
  readonly workerKey: PublicKey
  /** What it is about, as it was when it was found: evidence is made of it. */
  readonly delivery: Delivery
  readonly outputDigest: Digest
  /** Of what the program gives; undefined where it ends without an output. */
  readonly rightDigest: Digest | undefined
  readonly answer: Attestation
  readonly detail: string
  readonly consequence: Consequence
}

export type Effect =
  | { readonly kind: 'deliver'; readonly task: Task; readonly delivery: Delivery }
  | { readonly kind: 'closeCommitments'; readonly workerId: WorkerId; readonly deliveryId: DeliveryId }
  | {
      readonly kind: 'cancelDelivery'
      readonly workerId: WorkerId
      readonly deliveryId: DeliveryId
      readonly reason: CancelReason
    }
  /** Find out whether the answer is the program's, and post `checked`. */
  | { readonly kind: 'check'; readonly task: Task; readonly delivery: Delivery }
  /** Find out which answers are the same within the tolerance, and post `compared`. */
  | { readonly kind: 'compare'; readonly task: Task; readonly deliveries: readonly Delivery[] }
  | {
      readonly kind: 'settle'
      readonly workerId: WorkerId
      readonly deliveryId: DeliveryId
      readonly outcome: Outcome
      readonly rewardMicroCredit: MicroCredit
    }
  | { readonly kind: 'publish'; readonly task: Task; readonly entry: HistoryEntry; readonly sequence: number }
  | { readonly kind: 'book'; readonly entry: BookEffect }
  | { readonly kind: 'offence'; readonly offence: Offence }
  /** Its speed is no longer what was measured, or it has to show that it computes right. */
  | { readonly kind: 'benchmark'; readonly workerId: WorkerId; readonly reason: 'drift' | 'quarantine' }
  /** The input changed nothing; a late, repeated or foreign message is not an error of ours. */
  | { readonly kind: 'ignored'; readonly reason: IgnoredReason }
  | { readonly kind: 'refused'; readonly refusal: SubmitRefusal }

export type SubmitRefusal =
  | { readonly kind: 'overloaded'; readonly liveTasksMax: number }
  | { readonly kind: 'tooManyLive'; readonly liveTasksPerRequesterMax: number }
  | { readonly kind: 'draining' }
  /** It asks of workers what no task that waits asks, and too many different things are asked already. */
  | { readonly kind: 'tooVaried' }
  | { readonly kind: 'duplicate'; readonly taskId: TaskId }
  /** An answer of an earlier task of this id is still being checked. */
  | { readonly kind: 'beingChecked'; readonly taskId: TaskId }
