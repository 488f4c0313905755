/**
 * Everything dispatch knows about what is still open. Ended tasks leave the state and live in the store alone, so
 * memory grows with the work in hand, not with history. The indexes are derived from the records beside them.
 */
import type { DeliveryId, DurationMs, TaskId, TaskKind, TimeMs, WorkerId } from '@shardy/protocol'
import type { DeliveryRecord, StandingRecord, TaskRecord } from './record.ts'
import { SortedMap } from './sortedMap.ts'

export interface DispatchPolicy {
  readonly liveTasksMax: number
  /** Deliveries a task may use up before it is dead. */
  readonly attemptsMax: number
  readonly leaseMsMin: DurationMs
  readonly leaseMsMax: DurationMs
  /** A lease is this many times what the worker's measured rate asks for. */
  readonly leaseFactor: number
  /** Assumed of a line whose speed nobody measured. */
  readonly transferBytesPerSecond: number
  /** How long a worker has to reveal once commitments are closed. */
  readonly revealMs: DurationMs
  readonly backoffMsMin: DurationMs
  readonly backoffMsMax: DurationMs
}

export const defaultPolicy: DispatchPolicy = {
  liveTasksMax: 100_000,
  attemptsMax: 24,
  leaseMsMin: 15_000 as DurationMs,
  leaseMsMax: 3_600_000 as DurationMs,
  leaseFactor: 4,
  transferBytesPerSecond: 1_000_000,
  revealMs: 15_000 as DurationMs,
  backoffMsMin: 200 as DurationMs,
  backoffMsMax: 30_000 as DurationMs,
}

/** A connected worker. What it has done over time is its standing. */
export interface Worker {
  readonly workerId: WorkerId
  readonly kinds: readonly TaskKind[]
  readonly operationsPerSecond: number
  readonly payloadBytesMax: number
  readonly slots: number
  readonly presence: 'available' | 'hidden' | 'paused'
  /** Deliveries it has not settled yet; what it has committed to or revealed no longer takes a slot. */
  readonly held: SortedMap<DeliveryId, TaskId>
  readonly busySlots: number
}

export interface DispatchState {
  readonly policy: DispatchPolicy
  readonly tasks: SortedMap<TaskId, TaskRecord>
  readonly deliveries: SortedMap<DeliveryId, DeliveryRecord>
  readonly workers: SortedMap<WorkerId, Worker>
  readonly standings: SortedMap<WorkerId, StandingRecord>
  /** Tasks that want another delivery now, oldest first. */
  readonly ready: SortedMap<string, TaskId>
  /** Workers with a free slot, least loaded first. */
  readonly free: SortedMap<string, WorkerId>
  /** What falls due when nothing else happens, soonest first. */
  readonly due: SortedMap<string, Due>
}

export type Due =
  | { readonly kind: 'delivery'; readonly deliveryId: DeliveryId }
  | { readonly kind: 'retry'; readonly taskId: TaskId }
  | { readonly kind: 'deadline'; readonly taskId: TaskId }

export function emptyState(policy: DispatchPolicy): DispatchState {
  return {
    policy,
    tasks: SortedMap.empty(),
    deliveries: SortedMap.empty(),
    workers: SortedMap.empty(),
    standings: SortedMap.empty(),
    ready: SortedMap.empty(),
    free: SortedMap.empty(),
    due: SortedMap.empty(),
  }
}

/** Sixteen digits hold every safe integer, so the text sorts as the number does. */
const padded = (value: number): string => String(value).padStart(16, '0')

export const readyKey = (task: TaskRecord): string => `${padded(task.submittedAtMs)}:${task.taskId}`

export const freeKey = (worker: Worker): string => `${padded(worker.busySlots)}:${worker.workerId}`

export function dueKey(atMs: TimeMs, due: Due): string {
  return `${padded(atMs)}:${due.kind}:${due.kind === 'delivery' ? due.deliveryId : due.taskId}`
}

/** When the next `tick` is wanted. */
export function nextDueMs(state: DispatchState): TimeMs | undefined {
  const first = state.due.first()
  return first && (Number(first[0].slice(0, 16)) as TimeMs)
}
