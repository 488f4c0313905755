/**
 * One step in the making: the tables as they will be, and what is to be saved and done. Records are replaced here
 * and nowhere else, so the indexes can never disagree with them.
 */
import {
  type DeliveryId,
  type Digest,
  type EventType,
  type MicroCredit,
  messageLengthMax,
  type Outcome,
  type Sha256,
  type TaskId,
  type TimeMs,
  type WorkerId,
} from '@shardy/protocol'
import type { Effect, Reference, Row } from './effect.ts'
import {
  type DeliveryRecord,
  type EventRecord,
  isEnded,
  isOut,
  type StandingRecord,
  type TaskRecord,
  takesSlot,
} from './record.ts'
import { type DispatchState, type Due, dueKey, freeKey, isFree, readyKey, type Worker } from './state.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

export interface Turn {
  readonly atMs: TimeMs
  readonly sha256: Sha256
  readonly before: DispatchState
  readonly state: Mutable<DispatchState>
  readonly rows: Map<string, Row>
  readonly references: Reference[]
  readonly effects: Effect[]
  /** Tasks that have come to want workers in this step. */
  readonly woken: TaskId[]
  /** It is time to go on with an unfinished search. */
  isSearching: boolean
}

export function openTurn(state: DispatchState, atMs: TimeMs, sha256: Sha256): Turn {
  return {
    atMs,
    sha256,
    before: state,
    state: { ...state },
    rows: new Map(),
    references: [],
    effects: [],
    woken: [],
    isSearching: false,
  }
}

export interface Step {
  readonly state: DispatchState
  readonly effects: readonly Effect[]
}

export function closeTurn({ state, rows, references, effects }: Turn): Step {
  const save: Effect[] = rows.size === 0 ? [] : [{ kind: 'save', rows: [...rows.values()], references }]
  return { state, effects: [...save, ...effects] }
}

/** The record as it stands; an id from our own tables that is not there is a bug. */
export function taskOf(turn: Turn, taskId: TaskId): TaskRecord {
  const task = turn.state.tasks.get(taskId)
  if (task === undefined) throw new Error(`no live task ${taskId}`)
  return task
}

export function deliveryOf(turn: Turn, deliveryId: DeliveryId): DeliveryRecord {
  const delivery = turn.state.deliveries.get(deliveryId)
  if (delivery === undefined) throw new Error(`no live delivery ${deliveryId}`)
  return delivery
}

export function deliveriesOf(turn: Turn, task: TaskRecord): readonly DeliveryRecord[] {
  return task.deliveryIds.map((deliveryId) => deliveryOf(turn, deliveryId))
}

export function putTask(turn: Turn, task: TaskRecord): void {
  const { state } = turn
  turn.rows.set(`task:${task.taskId}`, { table: 'tasks', record: task })
  if (!isEnded(task.status)) {
    state.tasks = state.tasks.set(task.taskId, task)
    return
  }
  state.tasks = state.tasks.delete(task.taskId)
  state.ready = state.ready.delete(readyKey(task))
  dropDue(turn, task.deadlineMs, { kind: 'deadline', taskId: task.taskId })
  dropDue(turn, task.notBeforeMs, { kind: 'retry', taskId: task.taskId })
  for (const deliveryId of task.deliveryIds) state.deliveries = state.deliveries.delete(deliveryId)
}

export function putDelivery(turn: Turn, delivery: DeliveryRecord): void {
  const { state } = turn
  const { deliveryId } = delivery
  const before = state.deliveries.get(deliveryId)
  if (before !== undefined) dropDue(turn, before.dueMs, { kind: 'delivery', deliveryId })
  // Who has committed waits for the others, whose leases and whose task's deadline end.
  if (isOut(delivery) && delivery.state !== 'committed') {
    putDue(turn, delivery.dueMs, { kind: 'delivery', deliveryId })
  }
  state.deliveries = state.deliveries.set(deliveryId, delivery)
  turn.rows.set(`delivery:${deliveryId}`, { table: 'deliveries', record: delivery })
  hold(turn, before, delivery)
}

/** Keeps the worker's own list and its place among the free ones in step with the delivery. */
function hold(turn: Turn, before: DeliveryRecord | undefined, delivery: DeliveryRecord): void {
  const worker = turn.state.workers.get(delivery.workerId)
  if (worker === undefined) return
  const { deliveryId, taskId } = delivery
  const tookSlot = before !== undefined && worker.held.has(deliveryId) && takesSlot(before)
  const held = isOut(delivery) ? worker.held.set(deliveryId, taskId) : worker.held.delete(deliveryId)
  const busySlots = worker.busySlots - Number(tookSlot) + Number(takesSlot(delivery))
  if (held === worker.held && busySlots === worker.busySlots) return
  const more = held.size - worker.held.size
  const heldBytes =
    more === 0 ? worker.heldBytes : worker.heldBytes + more * taskOf(turn, taskId).outputLength
  putWorker(turn, { ...worker, held, busySlots, heldBytes })
}

export function putWorker(turn: Turn, worker: Worker): void {
  const { state } = turn
  const before = state.workers.get(worker.workerId)
  if (before !== undefined) state.free = state.free.delete(freeKey(before))
  state.workers = state.workers.set(worker.workerId, worker)
  if (isFree(worker)) state.free = state.free.set(freeKey(worker), worker.workerId)
}

export function dropWorker(turn: Turn, worker: Worker): void {
  turn.state.free = turn.state.free.delete(freeKey(worker))
  turn.state.workers = turn.state.workers.delete(worker.workerId)
}

export function putStanding(turn: Turn, standing: StandingRecord): void {
  turn.state.standings = turn.state.standings.set(standing.workerId, standing)
  turn.rows.set(`standing:${standing.workerId}`, { table: 'standings', record: standing })
}

export function putDue(turn: Turn, atMs: TimeMs, due: Due): void {
  turn.state.due = turn.state.due.set(dueKey(atMs, due), due)
}

export function dropDue(turn: Turn, atMs: TimeMs, due: Due): void {
  turn.state.due = turn.state.due.delete(dueKey(atMs, due))
}

/** Adds to the task's history, which is saved with the step and published after it. */
export function record(
  turn: Turn,
  taskId: TaskId,
  type: EventType,
  about: {
    readonly deliveryId?: DeliveryId
    readonly workerId?: WorkerId
    readonly outputDigest?: Digest
    readonly detail?: string
  } = {},
): void {
  const task = taskOf(turn, taskId)
  const sequence = task.events + 1
  const event: EventRecord = {
    taskId,
    sequence,
    atMs: turn.atMs,
    type,
    deliveryId: about.deliveryId,
    workerId: about.workerId,
    outputDigest: about.outputDigest,
    detail: printable(about.detail ?? ''),
  }
  putTask(turn, { ...task, events: sequence })
  turn.rows.set(`event:${taskId}:${sequence}`, { table: 'events', record: event })
  turn.effects.push({ kind: 'publish', event })
}

/** Only what the record's codec holds; what came in may be anything. */
function printable(detail: string): string {
  return detail.slice(0, messageLengthMax).replace(/[^\x20-\x7e]/g, '?')
}

export function settle(
  turn: Turn,
  delivery: DeliveryRecord,
  outcome: Outcome,
  rewardMicroCredit = 0n as MicroCredit,
): void {
  putDelivery(turn, { ...delivery, state: 'settled', outcome, rewardMicroCredit })
  const { workerId, deliveryId } = delivery
  turn.effects.push({ kind: 'settle', workerId, deliveryId, outcome, rewardMicroCredit })
}
