/**
 * What follows when something about a task moved (spec D4, D19–D22): more deliveries, a check, the close of commitments, or
 * the end. A delivery settles once; every path to the end of a task goes through `end`.
 */
import type {
  Basis,
  CancelReason,
  DeadReason,
  Digest,
  EventType,
  MicroCredit,
  TaskStatus,
  TimeMs,
} from '@shardy/protocol'
import { deliveriesPerTaskMax } from '@shardy/protocol'
import { commitmentsAreIn, largestGroup, missing, needed, shares, type Tally, tally } from './agreement.ts'
import { considerAlone } from './audit.ts'
import type { Payout } from './effect.ts'
import { backoffMs, revealEndMs } from './lease.ts'
import { falter, queue, touch } from './matching.ts'
import { offend } from './offence.ts'
import { isOut } from './record.ts'
import { reschedule } from './schedule.ts'
import { count, standingOf } from './standing.ts'
import {
  type DispatchState,
  keepAudit,
  leaveClass,
  leaveFlow,
  record,
  saveTask,
  settleEffect,
} from './state.ts'
import type { Delivery, Task } from './task.ts'
import { letGo } from './worker.ts'

/** Looks at a live task afresh. */
export function review(state: DispatchState, task: Task): void {
  const found = tally(task)
  if (decide(state, task, found)) return
  const isAsking = isExamined(task)
  const left = attemptsLeft(state, task)
  if (!isAsking && needed(task, found) > left) return kill(state, task, 'attemptsExhausted')
  if (isCommitFirst(task) && commitmentsAreIn(task)) {
    for (const delivery of task.deliveries)
      if (delivery.state === 'committed') askToReveal(state, task, delivery)
  }
  task.wants = isAsking ? 0 : Math.min(missing(task, found), left)
  task.status = found.pending > 0 || isAsking ? 'running' : 'waiting'
  queue(state, task)
  reschedule(state, task)
}

/** Of this life, and of what the record of all its lives can hold. */
function attemptsLeft({ policy }: DispatchState, { deliveries, attemptsSpent }: Task): number {
  let ofThisLife = policy.attemptsMax
  for (let index = attemptsSpent; index < deliveries.length; index++) {
    if (!deliveries[index]?.excused) ofThisLife--
  }
  return Math.min(ofThisLife, deliveriesPerTaskMax - deliveries.length)
}

/** Something is being found out about its answers; until it is known, nobody else is asked. */
export function isExamined({ comparing, deliveries }: Task): boolean {
  return comparing || deliveries.some(({ check, state }) => check === 'asked' && state === 'answered')
}

/** Several workers have the task at once, so none may see another's answer before it is bound to its own. */
export function isCommitFirst({ spec }: Task): boolean {
  return spec.verify.mode === 'quorum'
}

/** Whether the task has come to its end. */
function decide(state: DispatchState, task: Task, found: Tally): boolean {
  const right = task.deliveries.find(({ check, state }) => check === 'right' && state === 'answered')
  if (right !== undefined) {
    verify(state, task, found.groups.find((group) => group.includes(right)) ?? [right], 'checked')
    return true
  }
  if (task.spec.verify.mode !== 'quorum' && task.agreeing === 1) {
    const [answered] = found.groups[0] ?? []
    return answered !== undefined && answered.check === 'unasked' && decideAlone(state, task, answered)
  }
  if (found.groups.length > 1) disagree(state, task, found)
  askAboutDoubtful(state, task, found)
  if (isExamined(task)) return false
  const largest = largestGroup(found)
  if (largest.length < task.agreeing) return false
  verify(state, task, largest, 'agreement')
  return true
}

function decideAlone(state: DispatchState, task: Task, answered: Delivery): boolean {
  const next = considerAlone(state, task, answered)
  switch (next.kind) {
    case 'take':
      verify(state, task, [answered], 'trusted')
      return true
    case 'check':
      askCheck(state, answered)
      return false
    case 'replicate':
      task.agreeing = next.replicas
      return false
  }
}

/** D21: the mismatch is told once. Floats are compared within their tolerance before anybody calls them different. */
function disagree(state: DispatchState, task: Task, { groups }: Tally): void {
  if (!task.spec.exact && groups.some(([first]) => first?.group === 0)) {
    if (task.comparing) return
    task.comparing = true
    state.effects.push({ kind: 'compare', task, deliveries: groups.flat() })
  } else if (!task.mismatched) {
    task.mismatched = true
    record(state, task, 'consensus_mismatch', { detail: `replicas gave ${groups.length} different answers` })
  }
}

/** D21: of answers that differ, and of one that was found wrong when another gave it, re-execution says which is right. */
function askAboutDoubtful(state: DispatchState, task: Task, { groups }: Tally): void {
  if (!task.spec.exact) return
  for (const [first] of groups) {
    if (first?.check !== 'unasked') continue
    const isDoubtful = ({ outcome, outputDigest }: Delivery): boolean =>
      outcome === 'wrong' && outputDigest === first.outputDigest
    if (groups.length > 1 || task.deliveries.some(isDoubtful)) askCheck(state, first)
  }
}

export function askCheck(state: DispatchState, delivery: Delivery): void {
  delivery.check = 'asked'
  state.effects.push({ kind: 'check', task: delivery.task, delivery })
}

function askToReveal(state: DispatchState, task: Task, delivery: Delivery): void {
  delivery.state = 'revealing'
  delivery.dueMs = revealEndMs(state.atMs, task, state.policy)
  const { workerId, deliveryId } = delivery
  state.effects.push({ kind: 'closeCommitments', workerId, deliveryId })
  saveTask(state, task, 'later')
}

/** D15, D16: a delivery came to nothing. The task tries again after a pause; nobody is held to account for it. */
export function fail(
  state: DispatchState,
  delivery: Delivery,
  outcome: 'lost' | 'rejected' | 'corrupted',
  detail: string,
): void {
  const { task, worker } = delivery
  settle(state, delivery, outcome)
  if (worker !== undefined) falter(state, delivery.workerId)
  count(state, delivery.workerId, outcome)
  record(state, task, outcome, { delivery, detail })
  task.failures++
  task.notBeforeMs = (state.atMs + backoffMs(task, state.policy, state.sha256)) as TimeMs
  review(state, task)
}

/** D14: lost by our own doing. Its worker is not held to account, and the task has no attempt less. */
export function excuse(state: DispatchState, delivery: Delivery, detail: string): void {
  const { task } = delivery
  settle(state, delivery, 'lost')
  delivery.excused = true
  record(state, task, 'lost', { delivery, detail })
  task.failures++
  task.notBeforeMs = (state.atMs + backoffMs(task, state.policy, state.sha256)) as TimeMs
  review(state, task)
}

/** D14: the check found that the answer is not the program's. The task goes to somebody else at once. */
export function refute(
  state: DispatchState,
  delivery: Delivery,
  detail: string,
  rightDigest: Digest | undefined,
): void {
  const { task } = delivery
  settle(state, delivery, 'wrong')
  count(state, delivery.workerId, 'wrong')
  record(state, task, 'wrong', { delivery, outputDigest: delivery.outputDigest, detail })
  saveTask(state, task, 'now')
  offend(state, delivery, detail, rightDigest)
}

export function settle(
  state: DispatchState,
  delivery: Delivery,
  outcome: NonNullable<Delivery['outcome']>,
  rewardMicroCredit = 0n as MicroCredit,
): void {
  const { worker } = delivery
  if (worker !== undefined) {
    letGo(worker, delivery)
    touch(state, worker)
  }
  if (delivery.check === 'asked' && outcome !== 'wrong') keepAudit(state, delivery)
  else if (delivery.exposureMicroCredit > 0n) release(state, delivery)
  delivery.state = 'settled'
  delivery.outcome = outcome
  delivery.rewardMicroCredit = rewardMicroCredit
  state.deliveries.delete(delivery.deliveryId)
  settleEffect(state, delivery, outcome, rewardMicroCredit)
}

/** The audit is decided, and what it had put at risk may be risked again. */
export function release(state: DispatchState, delivery: Delivery): void {
  const standing = standingOf(state, delivery.workerId)
  standing.exposureMicroCredit = (standing.exposureMicroCredit - delivery.exposureMicroCredit) as MicroCredit
  delivery.exposureMicroCredit = 0n as MicroCredit
}

/** Those in the group are paid, everybody else who answered is not: wrong by the check, or outside the agreement. */
function verify(state: DispatchState, task: Task, group: readonly Delivery[], basis: Basis): void {
  const rewards = shares(task.spec.rewardMicroCredit, group.length)
  const payouts: Payout[] = []
  const { outputDigest } = group[0] as Delivery
  for (const delivery of task.deliveries) {
    if (delivery.state !== 'answered') continue
    if (!group.includes(delivery)) {
      if (basis === 'checked' && task.spec.exact) {
        refute(state, delivery, 'its answer is not the one that was found right', outputDigest)
      } else {
        settle(state, delivery, 'disagreed')
        count(state, delivery.workerId, 'disagreed')
      }
      continue
    }
    const reward = rewards[payouts.length] as MicroCredit
    payouts.push({ deliveryId: delivery.deliveryId, workerId: delivery.workerId, rewardMicroCredit: reward })
    settle(state, delivery, 'accepted', reward)
    count(state, delivery.workerId, 'accepted')
    standingOf(state, delivery.workerId).failures = 0
  }
  task.outputDigest = outputDigest
  task.basis = basis
  task.checkedBy = group.find(({ checkedBy }) => checkedBy !== undefined)?.checkedBy
  const status = basis === 'trusted' ? 'accepted' : 'verified'
  end(state, task, status, status === 'accepted' ? 'task_accepted' : 'task_verified', 'taskDecided', payouts)
}

export function kill(state: DispatchState, task: Task, reason: DeadReason): void {
  task.deadReason = reason
  end(state, task, 'dead', 'task_dead', 'taskDecided', [], reason)
}

export function cancelTask(state: DispatchState, task: Task): void {
  end(state, task, 'cancelled', 'task_cancelled', 'taskCancelled', [])
}

function end(
  state: DispatchState,
  task: Task,
  status: TaskStatus,
  type: EventType,
  reason: CancelReason,
  payouts: readonly Payout[],
  detail?: string,
): void {
  for (const delivery of task.deliveries) {
    if (delivery.state === 'settled') continue
    const { workerId, deliveryId } = delivery
    if (isOut(delivery)) state.effects.push({ kind: 'cancelDelivery', workerId, deliveryId, reason })
    settle(state, delivery, 'superseded')
  }
  const { taskId, requesterId } = task.spec
  task.status = status
  task.wants = 0
  task.decidedAtMs = state.atMs
  task.taskClass.queue.leave(task)
  leaveClass(state, task)
  state.due.remove(task)
  state.tasks.delete(taskId)
  leaveFlow(state, task.spec)
  record(state, task, type, { outputDigest: task.outputDigest, ...(detail !== undefined && { detail }) })
  saveTask(state, task, 'now')
  state.effects.push({ kind: 'book', entry: { kind: 'verdict', task, taskId, requesterId, payouts } })
}
