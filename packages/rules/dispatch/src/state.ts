/**
 * Everything dispatch knows about what is still open. Ended tasks leave the state and live in the store alone, so
 * memory grows with the work in hand, not with history. The indexes are derived from the records beside them.
 */
import {
  type DeliveryId,
  type DurationMs,
  deliveriesPerTaskMax,
  type PublicKey,
  payloadBytesMax,
  redundancyMin,
  type TaskId,
  type TaskKind,
  type TimeMs,
  type WorkerId,
} from '@shardy/protocol'
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
  /** A worker that claims less is taken to do as much. */
  readonly operationsPerSecondMin: number
  /** Assumed of a line whose speed nobody measured. */
  readonly transferBytesPerSecond: number
  /** How long a worker has to reveal once commitments are closed, beside the time that its output takes. */
  readonly revealMs: DurationMs
  readonly backoffMsMin: DurationMs
  readonly backoffMsMax: DurationMs
  /** Output that a worker may hold: of what is out with it, until it has answered. */
  readonly heldBytesMax: number
}

export const defaultPolicy: DispatchPolicy = {
  liveTasksMax: 100_000,
  attemptsMax: 24,
  leaseMsMin: 15_000 as DurationMs,
  leaseMsMax: 3_600_000 as DurationMs,
  leaseFactor: 4,
  operationsPerSecondMin: 10_000_000,
  transferBytesPerSecond: 1_000_000,
  revealMs: 15_000 as DurationMs,
  backoffMsMin: 200 as DurationMs,
  backoffMsMax: 30_000 as DurationMs,
  heldBytesMax: 4 * payloadBytesMax,
}

/** A connected worker. What it has done over time is its standing. */
export interface Worker {
  readonly workerId: WorkerId
  /** For its standing, which begins with its first delivery: a stranger that only joins leaves nothing to keep. */
  readonly publicKey: PublicKey
  readonly kinds: readonly TaskKind[]
  readonly operationsPerSecond: number
  readonly payloadBytesMax: number
  readonly slots: number
  readonly presence: 'available' | 'hidden' | 'paused'
  /** Deliveries it has still to answer; what it has committed to or revealed no longer takes a slot. */
  readonly held: SortedMap<DeliveryId, TaskId>
  readonly busySlots: number
  /** The output of all that it holds. */
  readonly heldBytes: number
  /** Its deliveries in this session that came to nothing since one was last accepted. Order alone depends on it. */
  readonly failures: number
}

/** A worker keeps its output until it is asked to reveal, so what it may hold is bounded. */
export const heldMax = 64

/** Whether the worker can be given anything. */
export function isFree({ presence, busySlots, slots, held }: Worker): boolean {
  return presence !== 'paused' && busySlots < slots && held.size < heldMax
}

export interface DispatchState {
  readonly policy: DispatchPolicy
  readonly tasks: SortedMap<TaskId, TaskRecord>
  readonly deliveries: SortedMap<DeliveryId, DeliveryRecord>
  readonly workers: SortedMap<WorkerId, Worker>
  readonly standings: SortedMap<WorkerId, StandingRecord>
  /** Tasks that want another delivery now, oldest first. */
  readonly ready: SortedMap<string, TaskId>
  /** Workers with a free slot: those with the fewest failures first, among them the least loaded. */
  readonly free: SortedMap<string, WorkerId>
  /** What falls due when nothing else happens, soonest first. */
  readonly due: SortedMap<string, Due>
  /** Set while not every waiting task has been compared with every free worker. */
  readonly search: Search | undefined
}

/** How far the search for workers has come. Its passes go over all tasks, each with another part of the workers. */
export interface Search {
  /** The first task that this pass has not looked at. */
  readonly taskFrom: string
  /** This pass looks at the least loaded workers, and at some from here on. */
  readonly workerFrom: string
  /** Where the next pass goes on among the workers; empty when nobody is left to look at. */
  readonly workerNext: string
  /** Something changed since the first pass began, so all begins again after the last. */
  readonly isStale: boolean
}

export type Due =
  | { readonly kind: 'delivery'; readonly deliveryId: DeliveryId }
  | { readonly kind: 'retry'; readonly taskId: TaskId }
  | { readonly kind: 'deadline'; readonly taskId: TaskId }
  | { readonly kind: 'search' }

export function emptyState(policy: DispatchPolicy): DispatchState {
  if (policy.attemptsMax < redundancyMin || policy.attemptsMax > deliveriesPerTaskMax) {
    throw new RangeError(
      `attemptsMax is ${policy.attemptsMax}, allowed is ${redundancyMin} to ${deliveriesPerTaskMax}`,
    )
  }
  if (policy.heldBytesMax < 2 * payloadBytesMax) {
    throw new RangeError(`heldBytesMax is ${policy.heldBytesMax}, the least is ${2 * payloadBytesMax}`)
  }
  return {
    policy,
    tasks: SortedMap.empty(),
    deliveries: SortedMap.empty(),
    workers: SortedMap.empty(),
    standings: SortedMap.empty(),
    ready: SortedMap.empty(),
    free: SortedMap.empty(),
    due: SortedMap.empty(),
    search: undefined,
  }
}

/** Sixteen digits hold every safe integer, so the text sorts as the number does. */
const padded = (value: number): string => String(value).padStart(16, '0')

export const readyKey = (task: TaskRecord): string => `${padded(task.submittedAtMs)}:${task.taskId}`

/** Workers of one rank are equals, among whom a task draws. */
const rankOf = ({ failures, busySlots }: Worker): string => `${padded(failures)}:${padded(busySlots)}`

export const freeKey = (worker: Worker): string => `${rankOf(worker)}:${worker.workerId}`

/** The rank in a key of the free list. */
export const rankIn = (key: string): string => key.slice(0, 33)

export function dueKey(atMs: TimeMs, due: Due): string {
  const id = due.kind === 'delivery' ? due.deliveryId : due.kind === 'search' ? '' : due.taskId
  return `${padded(atMs)}:${due.kind}:${id}`
}

/** When the next `tick` is wanted. */
export function nextDueMs(state: DispatchState): TimeMs | undefined {
  const first = state.due.first()
  return first && (Number(first[0].slice(0, 16)) as TimeMs)
}
