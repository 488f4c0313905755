/**
 * What follows when a delivery moved (spec D4, D19–D22): more deliveries, the close of commitments, or the end of
 * the task. A delivery settles once; every path to the end of a task goes through `end`.
 */
import type {
  CancelReason,
  DeadReason,
  Digest,
  EventType,
  MicroCredit,
  TimeMs,
  WorkerId,
} from '@shardy/protocol'
import { commitmentsAreIn, shares, tally } from './agreement.ts'
import { queue } from './assignment.ts'
import { backoffMs, revealEndMs } from './lease.ts'
import type { DeliveryRecord, StandingRecord, TaskRecord } from './record.ts'
import { isOut } from './record.ts'
import {
  deliveriesOf,
  dropDue,
  putDelivery,
  putDue,
  putStanding,
  putTask,
  putWorker,
  record,
  settle,
  type Turn,
  taskOf,
} from './turn.ts'

/** Looks at a live task afresh. */
export function review(turn: Turn, task: TaskRecord): void {
  const { taskId } = task
  const deliveries = deliveriesOf(turn, task)
  const { agreed, mismatched, pending, wanted } = tally(task, deliveries)
  if (mismatched && !task.mismatched) {
    putTask(turn, { ...task, mismatched: true })
    record(turn, taskId, 'consensus_mismatch', { detail: 'replicas gave different digests' })
  }
  if (agreed !== undefined) return verify(turn, taskOf(turn, taskId), agreed)
  const attemptsLeft = turn.state.policy.attemptsMax - task.deliveryIds.length
  if (wanted > attemptsLeft) return kill(turn, taskOf(turn, taskId), 'attemptsExhausted')
  if (commitmentsAreIn(task, deliveries)) {
    for (const delivery of deliveries) if (delivery.state === 'committed') askToReveal(turn, task, delivery)
  }
  const current = taskOf(turn, taskId)
  const status = pending > 0 ? 'running' : 'waiting'
  if (current.status !== status) putTask(turn, { ...current, status })
  queue(turn, taskOf(turn, taskId))
}

function askToReveal(turn: Turn, task: TaskRecord, delivery: DeliveryRecord): void {
  const dueMs = revealEndMs(turn.atMs, task, turn.state.policy)
  putDelivery(turn, { ...delivery, state: 'revealing', dueMs })
  const { workerId, deliveryId } = delivery
  turn.effects.push({ kind: 'closeCommitments', workerId, deliveryId })
}

/** D15, D16: a delivery came to nothing. The task tries again after a pause; the worker's standing does not change. */
export function fail(
  turn: Turn,
  delivery: DeliveryRecord,
  outcome: 'lost' | 'rejected' | 'corrupted',
  detail: string,
): void {
  const { taskId, deliveryId, workerId } = delivery
  settle(turn, delivery, outcome)
  placeInLine(turn, workerId, (failures) => failures + 1)
  record(turn, taskId, outcome, { deliveryId, workerId, detail })
  const task = taskOf(turn, taskId)
  dropDue(turn, task.notBeforeMs, { kind: 'retry', taskId })
  const failed = { ...task, failures: task.failures + 1 }
  const pauseMs = backoffMs(failed, turn.state.policy, turn.sha256)
  const notBeforeMs = (turn.atMs + pauseMs) as TimeMs
  putTask(turn, { ...failed, notBeforeMs })
  putDue(turn, notBeforeMs, { kind: 'retry', taskId })
  review(turn, taskOf(turn, taskId))
}

/** Who fails goes to the end of the line until it is accepted again; otherwise the silent would hold every task. */
function placeInLine(turn: Turn, workerId: WorkerId, change: (failures: number) => number): void {
  const worker = turn.state.workers.get(workerId)
  if (worker === undefined) return
  const failures = change(worker.failures)
  if (failures !== worker.failures) putWorker(turn, { ...worker, failures })
}

function verify(turn: Turn, task: TaskRecord, agreed: Digest): void {
  const rewards = shares(task.rewardMicroCredit, task.redundancy)
  let paid = 0
  for (const delivery of deliveriesOf(turn, task)) {
    if (delivery.state !== 'answered') continue
    const standing = turn.state.standings.get(delivery.workerId)
    if (standing === undefined) throw new Error(`no standing of ${delivery.workerId}`)
    const reward = rewards[paid]
    if (delivery.outputDigest === agreed && reward !== undefined) {
      paid++
      settle(turn, delivery, 'accepted', reward)
      putStanding(turn, credited(standing, reward))
      placeInLine(turn, delivery.workerId, () => 0)
    } else {
      settle(turn, delivery, 'disagreed')
      putStanding(turn, { ...standing, disagreedCount: counted(standing.disagreedCount) })
    }
  }
  if (task.keepOutput) turn.references.push({ digest: agreed, taskId: task.taskId })
  end(turn, { ...task, status: 'verified', outputDigest: agreed }, 'task_verified', 'taskDecided')
}

function credited(standing: StandingRecord, reward: MicroCredit): StandingRecord {
  const earned = standing.earnedMicroCredit + reward
  return {
    ...standing,
    acceptedCount: counted(standing.acceptedCount),
    earnedMicroCredit: (earned < earnedMicroCreditMax ? earned : earnedMicroCreditMax) as MicroCredit,
  }
}

/** The most a record holds. A sum that grows past it would keep every later verdict from being saved. */
const earnedMicroCreditMax = 2n ** 63n - 1n

function counted(count: number): number {
  return Math.min(count + 1, Number.MAX_SAFE_INTEGER)
}

export function kill(turn: Turn, task: TaskRecord, reason: DeadReason): void {
  end(turn, { ...task, status: 'dead', deadReason: reason }, 'task_dead', 'taskDecided', reason)
}

export function cancelTask(turn: Turn, task: TaskRecord): void {
  end(turn, { ...task, status: 'cancelled' }, 'task_cancelled', 'taskCancelled')
}

function end(turn: Turn, task: TaskRecord, type: EventType, reason: CancelReason, detail = ''): void {
  for (const delivery of deliveriesOf(turn, task)) {
    if (delivery.state === 'settled') continue
    const { workerId, deliveryId } = delivery
    if (isOut(delivery)) turn.effects.push({ kind: 'cancelDelivery', workerId, deliveryId, reason })
    settle(turn, delivery, 'superseded')
  }
  record(turn, task.taskId, type, { ...(task.outputDigest && { outputDigest: task.outputDigest }), detail })
  const { events } = taskOf(turn, task.taskId)
  putTask(turn, { ...task, events, decidedAtMs: turn.atMs })
}
