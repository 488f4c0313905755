/**
 * The words in which a task's life is told, on disk and over HTTP alike. Their order numbers them in records, so a
 * new word goes to the end.
 */

/** `verified` rests on a check or on agreement; `accepted` on nothing but the worker's standing. */
export const taskStatuses = ['waiting', 'running', 'verified', 'dead', 'cancelled', 'accepted'] as const
export type TaskStatus = (typeof taskStatuses)[number]

export const deadReasons = ['deadline', 'attemptsExhausted'] as const
export type DeadReason = (typeof deadReasons)[number]

export const deliveryStates = [
  'leased',
  'computing',
  'committed',
  'revealing',
  'answered',
  'settled',
] as const
export type DeliveryState = (typeof deliveryStates)[number]

/** What a verdict rests on. */
export const bases = ['agreement', 'checked', 'trusted'] as const
export type Basis = (typeof bases)[number]

/** How an answer was checked: but for a chance below 2^-61, or for certain. */
export const checkMechanisms = ['projection', 'recomputation'] as const
export type CheckMechanism = (typeof checkMechanisms)[number]

export const eventTypes = [
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
  'task_accepted',
  'wrong',
  'audited',
  'replicated',
  'requeued',
  'quarantined',
  'slashed',
] as const
export type EventType = (typeof eventTypes)[number]

/** How a task has ended with one of these: nothing happens to it behind it, unless an operator requeues it. */
const endings: Partial<Record<EventType, TaskStatus>> = {
  task_verified: 'verified',
  task_accepted: 'accepted',
  task_dead: 'dead',
  task_cancelled: 'cancelled',
}

/** Undefined of an event behind which the task goes on. */
export function endingOf(type: EventType): TaskStatus | undefined {
  return endings[type]
}

export const finalEventTypes = Object.keys(endings) as readonly EventType[]
