/**
 * From what the store holds back to a running state (spec D26). Connections did not survive, so what was out with a
 * worker is lost and tried again; answers that had come in stay. Nothing here needs the last words of the process
 * before.
 */
import type { Sha256, TimeMs } from '@shardy/protocol'
import { assign } from './assignment.ts'
import { type DeliveryRecord, isEnded, type StandingRecord, type TaskRecord } from './record.ts'
import { type DispatchPolicy, emptyState } from './state.ts'
import { closeTurn, openTurn, putDue, type Step } from './turn.ts'
import { fail, review } from './verdict.ts'

export interface Records {
  /** Live tasks; ended ones are passed over. */
  readonly tasks: readonly TaskRecord[]
  /** All deliveries of the live tasks, settled ones included. */
  readonly deliveries: readonly DeliveryRecord[]
  readonly standings: readonly StandingRecord[]
}

export function recover(policy: DispatchPolicy, records: Records, atMs: TimeMs, sha256: Sha256): Step {
  const turn = openTurn(emptyState(policy), atMs, sha256)
  const { state } = turn
  for (const standing of records.standings) {
    state.standings = state.standings.set(standing.workerId, standing)
  }
  for (const task of records.tasks) {
    if (isEnded(task.status)) continue
    state.tasks = state.tasks.set(task.taskId, task)
    putDue(turn, task.deadlineMs, { kind: 'deadline', taskId: task.taskId })
    putDue(turn, task.notBeforeMs, { kind: 'retry', taskId: task.taskId })
  }
  for (const delivery of records.deliveries) {
    if (state.tasks.has(delivery.taskId)) {
      state.deliveries = state.deliveries.set(delivery.deliveryId, delivery)
    }
  }
  for (const delivery of records.deliveries) {
    const open = delivery.state !== 'settled' && delivery.state !== 'answered'
    if (open && state.deliveries.has(delivery.deliveryId)) {
      fail(turn, delivery, 'lost', 'the orchestrator restarted')
    }
  }
  for (const taskId of records.tasks.map((task) => task.taskId)) {
    const task = state.tasks.get(taskId)
    if (task !== undefined) review(turn, task)
  }
  assign(turn)
  return closeTurn(turn)
}
