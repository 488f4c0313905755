/** Who gets what: gives tasks that want deliveries to workers that fit, oldest task and least loaded worker first. */
import type { DeliveryId, MicroCredit, WorkerId } from '@shardy/protocol'
import { tally } from './agreement.ts'
import { deliveryIdOf, leaseEndMs } from './lease.ts'
import type { DeliveryRecord, TaskRecord } from './record.ts'
import { readyKey, type Worker } from './state.ts'
import { deliveriesOf, deliveryOf, putDelivery, putTask, record, type Turn, taskOf } from './turn.ts'

/** Bounds on one step, so that a long queue that nobody fits cannot stall the ones behind it for long. */
const tasksScannedMax = 256
const workersScannedMax = 256

export type Unfit = 'hasThisTask' | 'wrongKind' | 'payloadTooLarge' | 'paused' | 'noFreeSlot'

/** Why a worker cannot take a task now, or undefined when it can. */
export function unfitness(
  task: TaskRecord,
  deliveries: readonly DeliveryRecord[],
  worker: Worker,
): Unfit | undefined {
  if (worker.presence === 'paused') return 'paused'
  if (!worker.kinds.includes(task.kind)) return 'wrongKind'
  if (Math.max(task.inputLength, task.outputLength) > worker.payloadBytesMax) return 'payloadTooLarge'
  if (deliveries.some((each) => each.workerId === worker.workerId && countsAsReplica(each))) {
    return 'hasThisTask'
  }
  if (worker.busySlots >= worker.slots) return 'noFreeSlot'
  return undefined
}

/** A worker whose delivery came to nothing may try again; one that answered or still works may not. */
function countsAsReplica({ state, answer }: DeliveryRecord): boolean {
  return state !== 'settled' || answer !== undefined
}

function chooseWorker(turn: Turn, task: TaskRecord): Worker | undefined {
  const deliveries = deliveriesOf(turn, task)
  const triedBefore = new Set<WorkerId>(deliveries.map(({ workerId }) => workerId))
  let second: Worker | undefined
  let scanned = 0
  for (const [, workerId] of turn.state.free.entries()) {
    if (++scanned > workersScannedMax) break
    const worker = turn.state.workers.get(workerId)
    if (worker === undefined || unfitness(task, deliveries, worker) !== undefined) continue
    if (!triedBefore.has(workerId)) return worker
    second ??= worker
  }
  return second
}

function deliver(turn: Turn, task: TaskRecord, worker: Worker): void {
  const deliveryId: DeliveryId = deliveryIdOf(task.taskId, task.deliveryIds.length, turn.sha256)
  const deadlineMs = leaseEndMs(turn.atMs, task, worker, turn.state.policy)
  putTask(turn, { ...task, status: 'running', deliveryIds: [...task.deliveryIds, deliveryId] })
  putDelivery(turn, {
    deliveryId,
    taskId: task.taskId,
    workerId: worker.workerId,
    state: 'leased',
    leasedAtMs: turn.atMs,
    deadlineMs,
    dueMs: deadlineMs,
    commitment: undefined,
    outputDigest: undefined,
    answer: undefined,
    outcome: undefined,
    rewardMicroCredit: 0n as MicroCredit,
  })
  record(turn, task.taskId, 'delivered', { deliveryId, workerId: worker.workerId })
  turn.effects.push({
    kind: 'deliver',
    task: taskOf(turn, task.taskId),
    delivery: deliveryOf(turn, deliveryId),
  })
}

export function assign(turn: Turn): void {
  let scanned = 0
  for (const [key, taskId] of turn.state.ready.entries()) {
    if (turn.state.free.size === 0 || ++scanned > tasksScannedMax) break
    for (;;) {
      const task = taskOf(turn, taskId)
      if (tally(task, deliveriesOf(turn, task)).wanted === 0) {
        turn.state.ready = turn.state.ready.delete(key)
        break
      }
      const worker = chooseWorker(turn, task)
      if (worker === undefined) break
      deliver(turn, task, worker)
    }
  }
}

/** Puts the task among those that want deliveries, when it does and its attempts and its backoff allow. */
export function queue(turn: Turn, task: TaskRecord): void {
  const { wanted } = tally(task, deliveriesOf(turn, task))
  const key = readyKey(task)
  const isDue = task.notBeforeMs <= turn.atMs
  const hasAttempts = task.deliveryIds.length < turn.state.policy.attemptsMax
  turn.state.ready =
    wanted > 0 && isDue && hasAttempts ? turn.state.ready.set(key, task.taskId) : turn.state.ready.delete(key)
}
