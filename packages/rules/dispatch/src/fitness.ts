/**
 * Which workers a task can go to (spec D6, D8). What decides here is also what a requester is told who asks why a
 * task waits.
 */
import type { DeliveryRecord, TaskRecord } from './record.ts'
import { type DispatchPolicy, type DispatchState, heldMax, type Worker } from './state.ts'

export type Unfit =
  | 'hasThisTask'
  | 'wrongKind'
  | 'payloadTooLarge'
  | 'paused'
  | 'noFreeSlot'
  | 'holdsTooMany'
  | 'holdsTooMuch'
  | 'roomIsKept'

/** Why a worker cannot take a task now, or undefined when it can. */
export function unfitness(
  task: TaskRecord,
  deliveries: readonly DeliveryRecord[],
  worker: Worker,
  { heldBytesMax }: DispatchPolicy,
): Unfit | undefined {
  if (worker.presence === 'paused') return 'paused'
  if (!worker.kinds.includes(task.kind)) return 'wrongKind'
  if (Math.max(task.inputLength, task.outputLength) > worker.payloadBytesMax) return 'payloadTooLarge'
  // A delivery that came to nothing is settled, and its worker may try again.
  if (deliveries.some((each) => each.workerId === worker.workerId && each.state !== 'settled')) {
    return 'hasThisTask'
  }
  if (worker.busySlots >= worker.slots) return 'noFreeSlot'
  if (worker.held.size >= heldMax) return 'holdsTooMany'
  if (worker.heldBytes + task.outputLength > heldBytesMax) return 'holdsTooMuch'
  return undefined
}

/** What a worker gets over by going on with its work. */
const passing: ReadonlySet<Unfit> = new Set(['noFreeSlot', 'holdsTooMany', 'holdsTooMuch'])

/** Where more are connected, there are taken to be enough. */
const workersCountedMax = 128

/**
 * Whether fewer workers are connected that could ever take the task than it wants. Whoever works on such a task
 * commits and then holds its output until somebody joins, so it may fill only half of what a worker may hold;
 * otherwise a few tasks that cannot end would keep all others from their workers.
 */
export function isShortOfWorkers(
  state: DispatchState,
  task: TaskRecord,
  deliveries: readonly DeliveryRecord[],
  wanted: number,
): boolean {
  let missing = wanted
  let counted = 0
  for (const worker of state.workers.values()) {
    if (++counted > workersCountedMax) return false
    const unfit = unfitness(task, deliveries, worker, state.policy)
    if (unfit === undefined || passing.has(unfit)) missing--
    if (missing === 0) return false
  }
  return true
}

/** The half that is kept for tasks for which enough workers are connected. */
export function keepsRoom(task: TaskRecord, worker: Worker, { heldBytesMax }: DispatchPolicy): boolean {
  return worker.held.size >= heldMax / 2 || worker.heldBytes + task.outputLength > heldBytesMax / 2
}
