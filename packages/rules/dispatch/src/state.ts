/**
 * Everything dispatch knows about what is still open. It is mutable and has one owner: `step` changes it in place, because
 * copying it would cost more than deciding (docs/decisions/0009). Ended tasks leave it and live in the store alone.
 */
import type {
  DeliveryId,
  EventType,
  MicroCredit,
  Outcome,
  RequesterId,
  Sha256,
  TaskId,
  TimeMs,
  WorkerId,
} from '@shardy/protocol'
import { messageLengthMax } from '@shardy/protocol'
import { ClassQueue, type Flow } from './classQueue.ts'
import { DueHeap } from './dueHeap.ts'
import type { Effect } from './effect.ts'
import type { DispatchMode, Stake } from './input.ts'
import { assertPolicy, type DispatchPolicy } from './policy.ts'
import type { HistoryEntry, StandingRecord, TaskSpec } from './record.ts'
import type { Delivery, Task, TaskClass } from './task.ts'
import { classesMax, classesPerRequesterMax, classFactsOf } from './taskClass.ts'
import type { Worker } from './worker.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
export interface Standing extends Mutable<StandingRecord> {
  /** As the book had it when it last answered. */
  stake: Stake
  /** What undecided audits have put at risk. */
  exposureMicroCredit: MicroCredit
  /** Its deliveries that came to nothing since one was last accepted, in whatever session. Order and pauses alone depend on it. */
  failures: number
  /** Gets nothing until then, because so much of what it was given came to nothing; undefined: it may have more. */
  failingUntilMs: TimeMs | undefined
}

export interface DispatchSettings {
  readonly policy: DispatchPolicy
  readonly sha256: Sha256
  /** Grows with every start, so that no delivery id is given twice. */
  readonly epoch: number
  /** Nobody else knows it: what is audited is drawn from it. */
  readonly secret: Uint8Array
}

export interface DispatchState extends DispatchSettings {
  readonly tasks: Map<TaskId, Task>
  /** Those that are not settled. */
  readonly deliveries: Map<DeliveryId, Delivery>
  /** Settled without a verdict while they were being checked: what is found still counts (spec A11). */
  readonly audits: Map<DeliveryId, Delivery>
  /** How many of those each task has: until they are decided it is not forgotten, and its id not given to another. */
  readonly auditsOf: Map<TaskId, number>
  readonly workers: Map<WorkerId, Worker>
  readonly standings: Map<WorkerId, Standing>
  readonly flows: Map<RequesterId, Flow>
  /** Those of requesters that have nothing here and have had more than whoever is served: latest last, no more than `awayMax`. */
  readonly away: Set<Flow>
  readonly classes: Map<string, TaskClass>
  /** Those with tasks that wait, and perhaps some without. */
  readonly waitingClasses: Set<TaskClass>
  /** Workers that can take something. */
  readonly idle: Worker[]
  /** Those that get nothing for a while, connected or not, and when the first of them may have more. */
  readonly failing: Set<Standing>
  failingUntilMs: TimeMs | undefined
  readonly due: DueHeap
  mode: DispatchMode
  /** That of the requester that was served last. */
  virtualTime: number
  /** Where the sweep over the idle goes on, over how many, and when; undefined: nothing waits that was hidden from them. */
  sweepFrom: number
  sweepLeft: number
  sweepAtMs: TimeMs | undefined
  /** For draws among equals, of which nothing but order depends. */
  random: number

  // What the step under way has brought about.
  atMs: TimeMs
  effects: Effect[]
  readonly woken: Task[]
  readonly freed: Set<Worker>
  // What was changed since the driver last took it.
  unsavedTasks: Task[]
  unsavedStandings: Set<Standing>
  /** Audits of ended tasks that began or were decided. */
  unsavedAudits: Map<DeliveryId, LateAudit>
}

/** It is saved no earlier than its task, nor later than what it finds. */
export interface LateAudit {
  readonly delivery: Delivery
  readonly isDecided: boolean
}

export function emptyState(settings: DispatchSettings): DispatchState {
  assertPolicy(settings.policy)
  return {
    ...settings,
    tasks: new Map(),
    deliveries: new Map(),
    audits: new Map(),
    auditsOf: new Map(),
    workers: new Map(),
    standings: new Map(),
    flows: new Map(),
    away: new Set(),
    classes: new Map(),
    waitingClasses: new Set(),
    idle: [],
    failing: new Set(),
    failingUntilMs: undefined,
    due: new DueHeap(),
    mode: 'running',
    virtualTime: 0,
    sweepFrom: 0,
    sweepLeft: 0,
    sweepAtMs: undefined,
    random: new DataView(settings.sha256(settings.secret).slice().buffer).getUint32(0) | 1,
    atMs: 0 as TimeMs,
    effects: [],
    woken: [],
    freed: new Set(),
    unsavedTasks: [],
    unsavedStandings: new Set(),
    unsavedAudits: new Map(),
  }
}

/** When the next `tick` is wanted. */
export function nextDueMs({ due, sweepAtMs, failingUntilMs }: DispatchState): TimeMs | undefined {
  const taskMs = due.first()?.dueAtMs ?? Number.POSITIVE_INFINITY
  const dueMs = Math.min(taskMs, sweepAtMs ?? taskMs, failingUntilMs ?? taskMs)
  return dueMs === Number.POSITIVE_INFINITY ? undefined : (dueMs as TimeMs)
}

/** The next of a sequence of 32-bit numbers (xorshift). */
export function drawNumber(state: DispatchState): number {
  let value = state.random
  value ^= value << 13
  value ^= value >>> 17
  value ^= value << 5
  state.random = value
  return value >>> 0
}

/** The class of the task, and a new one for it if need be. */
export function classOf(state: DispatchState, spec: TaskSpec): TaskClass {
  const facts = classFactsOf(spec)
  const known = state.classes.get(facts.key)
  if (known !== undefined) return known
  const flow = flowOf(state, spec.requesterId)
  flow.classes++
  const made: TaskClass = { ...facts, queue: new ClassQueue<Task>(), broughtBy: flow, liveTasks: 0 }
  state.classes.set(facts.key, made)
  return made
}

/** For a task that has ended, which nothing looks for any more. */
export function endedClass(spec: TaskSpec): TaskClass {
  const { requesterId } = spec
  const broughtBy = { requesterId, virtualTime: 0, liveTasks: 0, classes: 0, waiting: 0 }
  return { ...classFactsOf(spec), queue: new ClassQueue<Task>(), broughtBy, liveTasks: 0 }
}

/** Whether the task would need a class that there is no room for. */
export function isTooVaried(state: DispatchState, spec: TaskSpec): boolean {
  const classes = state.flows.get(spec.requesterId)?.classes ?? 0
  if (state.classes.size < classesMax && classes < classesPerRequesterMax) return false
  return !state.classes.has(classFactsOf(spec).key)
}

export function leaveClass(state: DispatchState, { taskClass }: Task): void {
  if (--taskClass.liveTasks > 0) return
  taskClass.broughtBy.classes--
  state.classes.delete(taskClass.key)
  state.waitingClasses.delete(taskClass)
  forget(state, taskClass.broughtBy)
}

export function flowOf(state: DispatchState, requesterId: RequesterId): Flow {
  let flow = state.flows.get(requesterId)
  if (flow === undefined) {
    flow = { requesterId, virtualTime: state.virtualTime, liveTasks: 0, classes: 0, waiting: 0 }
    state.flows.set(requesterId, flow)
  }
  return flow
}

/** One more of the requester's tasks is live. Who was away has not saved up a claim, whether it was forgotten or not. */
export function enterFlow(state: DispatchState, { requesterId }: TaskSpec): void {
  const flow = flowOf(state, requesterId)
  if (flow.liveTasks++ > 0) return
  flow.virtualTime = Math.max(flow.virtualTime, state.virtualTime)
  state.away.delete(flow)
}

export function leaveFlow(state: DispatchState, { requesterId }: TaskSpec): void {
  const flow = flowOf(state, requesterId)
  flow.liveTasks--
  forget(state, flow)
}

/** Requesters that may be away at a time and still be known to have had more than others. */
export const awayMax = 4096

/** Nothing depends any more on a flow that would begin anew where it stands, or further on. */
function forget(state: DispatchState, flow: Flow): void {
  const { flows, away } = state
  if (flow.liveTasks > 0 || flow.classes > 0) return
  if (flow.virtualTime > state.virtualTime) away.add(flow)
  else flows.delete(flow.requesterId)
  if (away.size <= awayMax) return
  // The half that has had the least. Nobody gains by being forgotten: all who come begin where the last of that half stood.
  const byTime = [...away].sort((left, right) => left.virtualTime - right.virtualTime)
  for (const { requesterId, virtualTime } of byTime.slice(0, awayMax / 2)) {
    state.virtualTime = Math.max(state.virtualTime, virtualTime)
    flows.delete(requesterId)
  }
  for (const each of byTime) if (!flows.has(each.requesterId)) away.delete(each)
}

export function saveTask(state: DispatchState, task: Task, urgency: 'later' | 'now'): void {
  if (task.unsaved === 'no') state.unsavedTasks.push(task)
  if (urgency === 'now' || task.unsaved === 'no') task.unsaved = urgency
}

/** Adds to the task's history, which is saved with it and published once that is done. */
export function record(
  state: DispatchState,
  task: Task,
  type: EventType,
  about: {
    readonly delivery?: Delivery
    readonly outputDigest?: HistoryEntry['outputDigest']
    readonly detail?: string
  } = {},
): void {
  const entry: HistoryEntry = {
    atMs: state.atMs,
    type,
    attempt: about.delivery === undefined ? 0 : about.delivery.index + 1,
    outputDigest: about.outputDigest,
    detail: about.detail === undefined ? '' : printable(about.detail),
  }
  task.history.push(entry)
  state.effects.push({ kind: 'publish', task, entry, sequence: task.history.length })
  saveTask(state, task, 'later')
}

/** Only what the record's codec holds; what came in may be anything. */
function printable(detail: string): string {
  return detail.slice(0, messageLengthMax).replace(/[^\x20-\x7e]/g, '?')
}

/** Its task is over, and what is found of it still counts. */
export function keepAudit(state: DispatchState, delivery: Delivery): void {
  holdAudit(state, delivery)
  state.unsavedAudits.set(delivery.deliveryId, { delivery, isDecided: false })
}

/** One that is saved already. */
export function holdAudit({ audits, auditsOf }: DispatchState, delivery: Delivery): void {
  const { taskId } = delivery.task.spec
  audits.set(delivery.deliveryId, delivery)
  auditsOf.set(taskId, (auditsOf.get(taskId) ?? 0) + 1)
}

export function endAudit({ audits, auditsOf, unsavedAudits }: DispatchState, delivery: Delivery): void {
  const { deliveryId, task } = delivery
  unsavedAudits.set(deliveryId, { delivery, isDecided: true })
  const { taskId } = task.spec
  const left = (auditsOf.get(taskId) ?? 0) - 1
  audits.delete(deliveryId)
  if (left > 0) auditsOf.set(taskId, left)
  else auditsOf.delete(taskId)
}

export function settleEffect(
  state: DispatchState,
  { workerId, deliveryId }: Delivery,
  outcome: Outcome,
  rewardMicroCredit: MicroCredit,
): void {
  state.effects.push({ kind: 'settle', workerId, deliveryId, outcome, rewardMicroCredit })
}
