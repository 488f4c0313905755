/**
 * Dispatch: `step(state, input) → effects`. The switch is its table of contents. The state is changed in place; given the
 * same inputs it makes the same decisions, so a log replays and a simulation needs no network.
 */
import { deliveriesPerTaskMax } from '@shardy/protocol'
import { benchmarked, changePresence, drainWorker, join, leave, measure } from './connection.ts'
import type { Effect } from './effect.ts'
import type { Input, InputOf } from './input.ts'
import { resume, serve, sweep, touch } from './matching.ts'
import { isEnded, revivalsMax } from './record.ts'
import { revive } from './recovery.ts'
import { ignore, reply } from './reply.ts'
import { classOf, type DispatchState, enterFlow, isTooVaried, record, saveTask } from './state.ts'
import { newTask, type Task } from './task.ts'
import { cancelTask, fail, kill, review } from './verdict.ts'

/** A step never looks at more than this many due tasks; the rest are due again at once. */
const duePerStepMax = 1024

export function step(state: DispatchState, input: Input): readonly Effect[] {
  state.atMs = input.atMs
  state.effects = []
  decide(state, input)
  serve(state)
  return state.effects
}

function decide(state: DispatchState, input: Input): void {
  switch (input.kind) {
    case 'submit':
      return submit(state, input)
    case 'cancel':
      return cancel(state, input)
    case 'requeue':
      return requeue(state, input)
    case 'workerJoined':
      return join(state, input)
    case 'benchmarked':
      return benchmarked(state, input)
    case 'measuring':
      return measure(state, input)
    case 'workerLeft':
      return leave(state, input)
    case 'presence':
      return changePresence(state, input)
    case 'drainWorker':
      return drainWorker(state, input)
    case 'operate':
      return operate(state, input)
    case 'acked':
    case 'committed':
    case 'answered':
    case 'checked':
    case 'corrupted':
    case 'unsent':
    case 'rejected':
      return reply(state, input)
    case 'compared':
      return compared(state, input)
    case 'tick':
      return tick(state)
  }
}

function submit(state: DispatchState, { task: asked, atMs }: InputOf<'submit'>): void {
  const { taskId, requesterId, rewardMicroCredit } = asked
  const { liveTasksMax, liveTasksPerRequesterMax } = state.policy
  const refuse = (refusal: Extract<Effect, { kind: 'refused' }>['refusal']): void => {
    state.effects.push({ kind: 'refused', refusal })
  }
  if (state.mode === 'draining') return refuse({ kind: 'draining' })
  if (state.tasks.has(taskId)) return refuse({ kind: 'duplicate', taskId })
  // What its audits find would be written into another task, and held against who has had that one.
  if (state.auditsOf.has(taskId)) return refuse({ kind: 'beingChecked', taskId })
  if (state.tasks.size >= liveTasksMax) return refuse({ kind: 'overloaded', liveTasksMax })
  const liveTasks = state.flows.get(requesterId)?.liveTasks ?? 0
  if (liveTasks >= liveTasksPerRequesterMax) return refuse({ kind: 'tooManyLive', liveTasksPerRequesterMax })
  const spec = { ...asked, submittedAtMs: atMs }
  if (isTooVaried(state, spec)) return refuse({ kind: 'tooVaried' })
  const task = newTask(
    {
      spec,
      status: 'waiting',
      revivals: 0,
      deliveries: [],
      failures: 0,
      attemptsSpent: 0,
      notBeforeMs: atMs,
      deadlineMs: spec.deadlineMs,
      mismatched: false,
      decidedAtMs: undefined,
      outputDigest: undefined,
      deadReason: undefined,
      basis: undefined,
      checkedBy: undefined,
      history: [],
    },
    classOf(state, spec),
  )
  state.tasks.set(taskId, task)
  enterFlow(state, spec)
  state.effects.push({ kind: 'book', entry: { kind: 'escrow', taskId, requesterId, rewardMicroCredit } })
  record(state, task, 'submitted')
  saveTask(state, task, 'now')
  review(state, task)
}

function cancel(state: DispatchState, { taskId }: InputOf<'cancel'>): void {
  const task = state.tasks.get(taskId)
  if (task === undefined) ignore(state, 'unknownTask')
  else cancelTask(state, task)
}

/** An operator puts a dead task back to work, with all that happened to it. */
function requeue(state: DispatchState, { task: dead, deadlineMs }: InputOf<'requeue'>): void {
  const { taskId } = dead.spec
  const isSpent = dead.revivals >= revivalsMax || dead.deliveries.length >= deliveriesPerTaskMax
  if (state.tasks.has(taskId) || dead.status !== 'dead' || isSpent) return ignore(state, 'nothingChanged')
  const task = revive(state, {
    ...dead,
    status: 'waiting',
    revivals: dead.revivals + 1,
    attemptsSpent: dead.deliveries.length,
    failures: 0,
    notBeforeMs: state.atMs,
    deadlineMs,
    decidedAtMs: undefined,
    deadReason: undefined,
  })
  // What audits of its earlier life find is written into this one: the record of that one is gone.
  for (const [deliveryId, audited] of state.audits) {
    const delivery = audited.task.spec.taskId === taskId ? task.deliveries[audited.index] : undefined
    if (delivery?.deliveryId !== deliveryId) continue
    delivery.check = audited.check
    delivery.exposureMicroCredit = audited.exposureMicroCredit
    state.audits.set(deliveryId, delivery)
  }
  const { requesterId, rewardMicroCredit } = dead.spec
  state.effects.push({ kind: 'book', entry: { kind: 'escrow', taskId, requesterId, rewardMicroCredit } })
  record(state, task, 'requeued')
  saveTask(state, task, 'now')
  review(state, task)
}

function operate(state: DispatchState, { mode }: InputOf<'operate'>): void {
  if (state.mode === mode) return ignore(state, 'nothingChanged')
  state.mode = mode
  if (mode !== 'paused') for (const worker of state.idle) touch(state, worker)
}

function compared(state: DispatchState, { taskId, groups }: InputOf<'compared'>): void {
  const task = state.tasks.get(taskId)
  if (task === undefined) return ignore(state, 'unknownTask')
  if (!task.comparing) return ignore(state, 'nothingChanged')
  for (const { deliveryId, group } of groups) {
    const delivery = state.deliveries.get(deliveryId)
    if (delivery?.task === task) delivery.group = group
  }
  task.comparing = false
  review(state, task)
}

function tick(state: DispatchState): void {
  resume(state)
  if (state.sweepAtMs !== undefined && state.sweepAtMs <= state.atMs) sweep(state)
  for (let count = 0; count < duePerStepMax; count++) {
    const task = state.due.first()
    if (task === undefined || task.dueAtMs > state.atMs) return
    lapse(state, task)
  }
}

function lapse(state: DispatchState, task: Task): void {
  if (task.deadlineMs <= state.atMs) return kill(state, task, 'deadline')
  for (const delivery of [...task.deliveries]) {
    if (isEnded(task.status)) return
    const { state: deliveryState, dueMs, workerId, deliveryId } = delivery
    const isRunning =
      deliveryState === 'leased' || deliveryState === 'computing' || deliveryState === 'revealing'
    if (!isRunning || dueMs > state.atMs) continue
    state.effects.push({ kind: 'cancelDelivery', workerId, deliveryId, reason: 'leaseExpired' })
    fail(state, delivery, 'lost', 'the lease ended before an answer')
  }
  // Its pause is over.
  if (!isEnded(task.status)) review(state, task)
}
