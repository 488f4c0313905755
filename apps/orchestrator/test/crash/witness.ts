/** What the orchestrator has told others, and after which of its writes: each of these is a promise that a crash must not break. */
import type { DeliveryId, MicroCredit, Outcome, TaskId, TaskStatus, WorkerId } from '@shardy/protocol'

export type Promised =
  /** A requester was given the id. */
  | { readonly kind: 'accepted'; readonly taskId: TaskId }
  /** A worker was given the delivery. */
  | { readonly kind: 'delivered'; readonly taskId: TaskId; readonly deliveryId: DeliveryId }
  | {
      readonly kind: 'settled'
      readonly deliveryId: DeliveryId
      readonly workerId: WorkerId
      readonly outcome: Outcome
      readonly rewardMicroCredit: MicroCredit
    }
  | { readonly kind: 'ended'; readonly taskId: TaskId; readonly status: TaskStatus }
  | { readonly kind: 'requeued'; readonly taskId: TaskId }

export interface Told {
  readonly promised: Promised
  /** How many writes had been handed over when it was told. */
  readonly writes: number
}
