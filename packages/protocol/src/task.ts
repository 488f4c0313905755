/**
 * The words in which a task's life is told, on disk and over HTTP alike. Their order numbers them in records, so a
 * new word goes to the end.
 */
export const taskStatuses = ['waiting', 'running', 'verified', 'dead', 'cancelled'] as const
export type TaskStatus = (typeof taskStatuses)[number]

export const deadReasons = ['deadline', 'attemptsExhausted'] as const
export type DeadReason = (typeof deadReasons)[number]

export const deliveryStates = [
  'leased',
  'computing',
  'committed',
  'revealing',
  'revealed',
  'answered',
  'settled',
] as const

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
] as const
export type EventType = (typeof eventTypes)[number]

/** Nothing happens to a task after one of these. */
export const finalEventTypes: readonly EventType[] = ['task_verified', 'task_dead', 'task_cancelled']
