/**
 * From what the store holds back to a running state (spec D26). Connections did not survive, so what was out with a
 * worker is lost and tried again; answers that had come in stay. Nothing here needs the last words of the process
 * before.
 */
import type { MicroCredit, TaskId, TimeMs, WorkerId } from '@shardy/protocol'
import type { Effect } from './effect.ts'
import type { DispatchMode, Stake } from './input.ts'
import { serve } from './matching.ts'
import { isEnded, type LateAuditRecord, type StandingRecord, type TaskRecord } from './record.ts'
import { reschedule } from './schedule.ts'
import { standingFrom, standingOf } from './standing.ts'
import {
  classOf,
  type DispatchSettings,
  type DispatchState,
  emptyState,
  endedClass,
  enterFlow,
  holdAudit,
  record,
} from './state.ts'
import { newDelivery, newTask, type Task, type TaskClass } from './task.ts'
import { askCheck, kill, review, settle } from './verdict.ts'

export interface Records {
  /** Live tasks; ended ones are passed over. */
  readonly tasks: Iterable<TaskRecord>
  readonly standings: Iterable<StandingRecord>
  /** From the book, for those who have any: what a conviction takes is what was locked, also after a restart. */
  readonly stakes: ReadonlyMap<WorkerId, Stake>
  /** Audits whose task ended before they were decided, each with its task's record. */
  readonly lateAudits: Iterable<{ readonly audit: LateAuditRecord; readonly task: TaskRecord }>
  /** As an operator last put it: who paused it does not find it running. */
  readonly mode: DispatchMode
}

export interface Recovered {
  readonly state: DispatchState
  readonly effects: readonly Effect[]
}

export function recover(settings: DispatchSettings, records: Records, atMs: TimeMs): Recovered {
  const state = emptyState(settings)
  state.atMs = atMs
  state.mode = records.mode
  for (const standing of records.standings) {
    const { workerId } = standing
    state.standings.set(workerId, standingFrom(standing, records.stakes.get(workerId)))
  }
  const tasks: Task[] = []
  for (const task of records.tasks) if (!isEnded(task.status)) tasks.push(revive(state, task))
  // Before anything is drawn: what they have put at risk cannot be risked twice.
  resumeAudits(state, records.lateAudits)
  for (const task of tasks) {
    for (const delivery of task.deliveries) {
      if (delivery.state === 'settled' || delivery.state === 'answered') continue
      settle(state, delivery, 'lost')
      delivery.excused = true
      record(state, task, 'lost', { delivery, detail: 'the orchestrator restarted' })
    }
    // First, so that an answer that was drawn is audited although its task is over (D30).
    review(state, task)
    // Before anybody joins: who is first to ask must not be given what has no time left.
    if (!isEnded(task.status) && task.deadlineMs <= atMs) kill(state, task, 'deadline')
  }
  serve(state)
  return { state, effects: state.effects }
}

/** D30: they go on where they were, whether their task has stayed ended or was revived. */
function resumeAudits(state: DispatchState, lateAudits: Records['lateAudits']): void {
  const ended = new Map<TaskId, Task>()
  for (const { audit, task: taken } of lateAudits) {
    const { taskId, deliveryId, exposureMicroCredit } = audit
    const task = state.tasks.get(taskId) ?? ended.get(taskId) ?? withDeliveries(taken, endedClass(taken.spec))
    if (!state.tasks.has(taskId)) ended.set(taskId, task)
    const delivery = task.deliveries.find((each) => each.deliveryId === deliveryId)
    if (delivery?.state !== 'settled')
      throw new Error(`delivery ${deliveryId} is audited late and not settled`)
    const standing = standingOf(state, delivery.workerId)
    standing.exposureMicroCredit = (standing.exposureMicroCredit + exposureMicroCredit) as MicroCredit
    delivery.exposureMicroCredit = exposureMicroCredit
    holdAudit(state, delivery)
    askCheck(state, delivery)
  }
}

function withDeliveries(taken: TaskRecord, taskClass: TaskClass): Task {
  const task = newTask(taken, taskClass)
  for (const each of taken.deliveries) newDelivery(task, each)
  return task
}

/** A record becomes a live task again. */
export function revive(state: DispatchState, taken: TaskRecord): Task {
  const { spec } = taken
  const task = withDeliveries(taken, classOf(state, spec))
  for (const delivery of task.deliveries) {
    if (delivery.state !== 'settled') state.deliveries.set(delivery.deliveryId, delivery)
  }
  state.tasks.set(spec.taskId, task)
  enterFlow(state, spec)
  reschedule(state, task)
  return task
}
