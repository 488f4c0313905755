/** Why an entry is refused (spec L5): each with what was found and what would have been right. A refused entry changes nothing. */
import type { DeliveryId, RequesterId, TaskId, WorkerId } from '@shardy/protocol'
import type { AccountKey } from './account.ts'

export type BookRefusal =
  | {
      readonly kind: 'badAmount'
      readonly field: string
      readonly amount: bigint
      readonly min: bigint
      readonly max: bigint
    }
  | {
      readonly kind: 'insufficientFunds'
      readonly account: AccountKey
      readonly needed: bigint
      readonly available: bigint
    }
  | { readonly kind: 'overflow'; readonly field: string; readonly limit: bigint; readonly actual: bigint }
  | { readonly kind: 'duplicateEscrow'; readonly taskId: TaskId }
  | { readonly kind: 'unknownEscrow'; readonly taskId: TaskId }
  | {
      readonly kind: 'wrongRequester'
      readonly taskId: TaskId
      readonly expected: RequesterId
      readonly actual: RequesterId
    }
  | { readonly kind: 'tooManyPayouts'; readonly limit: number; readonly actual: number }
  | { readonly kind: 'alreadyPaid'; readonly deliveryId: DeliveryId }
  | { readonly kind: 'alreadySlashed'; readonly deliveryId: DeliveryId }
  | { readonly kind: 'unnamedSource'; readonly workerId: WorkerId }
  | { readonly kind: 'nothingDue'; readonly workerId: WorkerId }
  | { readonly kind: 'nothingToSlash'; readonly workerId: WorkerId }

/** One English sentence for a person; programs read `kind` and the fields. */
export function describeBookRefusal(refusal: BookRefusal): string {
  switch (refusal.kind) {
    case 'badAmount':
      return `${refusal.field} is ${refusal.amount}, allowed is ${refusal.min} to ${refusal.max} micro-credits`
    case 'insufficientFunds':
      return `${refusal.account} has ${refusal.available} micro-credits, needed are ${refusal.needed}`
    case 'overflow':
      return `${refusal.field} would be ${refusal.actual}, the limit is ${refusal.limit}`
    case 'duplicateEscrow':
      return `task ${refusal.taskId} already has an escrow`
    case 'unknownEscrow':
      return `task ${refusal.taskId} has no escrow`
    case 'wrongRequester':
      return `the escrow of task ${refusal.taskId} is requester ${refusal.expected}'s, not ${refusal.actual}'s`
    case 'tooManyPayouts':
      return `a verdict has ${refusal.actual} payouts, the limit is ${refusal.limit}`
    case 'alreadyPaid':
      return `delivery ${refusal.deliveryId} is already paid`
    case 'alreadySlashed':
      return `delivery ${refusal.deliveryId} is already slashed`
    case 'unnamedSource':
      return `a deposit for worker ${refusal.workerId} names a requester exactly when a requester pays it`
    case 'nothingDue':
      return `worker ${refusal.workerId} has nothing that is due`
    case 'nothingToSlash':
      return `worker ${refusal.workerId} has nothing that a slash could take`
  }
}
