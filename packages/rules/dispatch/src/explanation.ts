/** Why a task is not running, in plain words with the numbers that matter, for the requester who asks. */
import { tally } from './agreement.ts'
import { isShortOfWorkers, keepsRoom, type Unfit, unfitness } from './fitness.ts'
import type { DeliveryRecord, TaskRecord } from './record.ts'
import type { DispatchState } from './state.ts'

const workersScannedMax = 1024

const words: Readonly<Record<Unfit, string>> = {
  hasThisTask: 'with this task already',
  wrongKind: 'not taking this kind of task',
  payloadTooLarge: 'too small for its input or output',
  paused: 'paused',
  noFreeSlot: 'without a free slot',
  holdsTooMany: 'full of answers not yet revealed',
  holdsTooMuch: 'holding too many bytes of answers not yet revealed',
  roomIsKept: 'keeping room for tasks that enough workers can take',
}

/** Undefined when the task has all the deliveries it wants, or none is known of. */
export function explainWaiting(state: DispatchState, task: TaskRecord, nowMs: number): string | undefined {
  const deliveries = task.deliveryIds
    .map((deliveryId) => state.deliveries.get(deliveryId))
    .filter((delivery): delivery is DeliveryRecord => delivery !== undefined)
  const { wanted } = tally(task, deliveries)
  if (wanted === 0) return undefined
  const more = `needs ${wanted} more worker${wanted === 1 ? '' : 's'}`
  if (task.notBeforeMs > nowMs) {
    return `${more}; tries again in ${task.notBeforeMs - nowMs} ms after ${task.failures} failed`
  }
  if (state.workers.size === 0) return `${more}; no worker is connected`
  const isShort = isShortOfWorkers(state, task, deliveries, wanted)
  const reasons = new Map<Unfit, number>()
  let scanned = 0
  for (const worker of state.workers.values()) {
    if (++scanned > workersScannedMax) break
    const unfit = unfitness(task, deliveries, worker, state.policy)
    const reason = unfit ?? (isShort && keepsRoom(task, worker, state.policy) ? 'roomIsKept' : undefined)
    if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  const counted = [...reasons].map(([reason, count]) => `${count} ${words[reason]}`)
  return `${more}; of ${state.workers.size} connected: ${counted.join(', ') || 'one is about to get it'}`
}
