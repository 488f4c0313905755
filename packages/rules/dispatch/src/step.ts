/**
 * Dispatch as a pure function: `step(state, input) → { state, effects }`. The switch is its table of contents. Given
 * the same inputs it makes the same decisions, so a log replays and a simulation needs no network.
 */
import type { Sha256 } from '@shardy/protocol'
import { assign, queue } from './assignment.ts'
import { changePresence, join, leave } from './connection.ts'
import { ignore } from './effect.ts'
import type { Input, InputOf } from './input.ts'
import { reply } from './reply.ts'
import { type DispatchState, type Due, nextDueMs } from './state.ts'
import {
  closeTurn,
  deliveryOf,
  dropDue,
  openTurn,
  putDue,
  putTask,
  record,
  type Step,
  type Turn,
  taskOf,
} from './turn.ts'
import { cancelTask, fail, kill, review } from './verdict.ts'

/** A step never looks at more than this many due entries; the rest are due again at once. */
const duePerStepMax = 1024

export function createStep(sha256: Sha256): (state: DispatchState, input: Input) => Step {
  return (state, input) => {
    const turn = openTurn(state, input.atMs, sha256)
    decide(turn, input)
    assign(turn)
    return closeTurn(turn)
  }
}

function decide(turn: Turn, input: Input): void {
  switch (input.kind) {
    case 'submit':
      return submit(turn, input)
    case 'cancel':
      return cancel(turn, input)
    case 'workerJoined':
      return join(turn, input)
    case 'workerLeft':
      return leave(turn, input)
    case 'presence':
      return changePresence(turn, input)
    case 'acked':
    case 'committed':
    case 'revealed':
    case 'answered':
    case 'corrupted':
    case 'rejected':
      return reply(turn, input)
    case 'tick':
      return tick(turn)
  }
}

function submit(turn: Turn, { task }: InputOf<'submit'>): void {
  const { taskId, inputDigest, constants, deadlineMs } = task
  const { liveTasksMax } = turn.state.policy
  if (turn.state.tasks.has(taskId)) {
    turn.effects.push({ kind: 'refused', refusal: { kind: 'duplicate', taskId } })
    return
  }
  if (turn.state.tasks.size >= liveTasksMax) {
    turn.effects.push({ kind: 'refused', refusal: { kind: 'overloaded', liveTasksMax } })
    return
  }
  putTask(turn, {
    ...task,
    submittedAtMs: turn.atMs,
    status: 'waiting',
    deliveryIds: [],
    failures: 0,
    notBeforeMs: turn.atMs,
    events: 0,
    mismatched: false,
    decidedAtMs: undefined,
    outputDigest: undefined,
    deadReason: undefined,
  })
  for (const digest of [inputDigest, ...constants]) turn.references.push({ digest, taskId })
  putDue(turn, deadlineMs, { kind: 'deadline', taskId })
  record(turn, taskId, 'submitted')
  review(turn, taskOf(turn, taskId))
}

function cancel(turn: Turn, { taskId }: InputOf<'cancel'>): void {
  const task = turn.state.tasks.get(taskId)
  if (task === undefined) ignore(turn.effects, 'unknownTask')
  else cancelTask(turn, task)
}

function tick(turn: Turn): void {
  for (let count = 0; count < duePerStepMax; count++) {
    const dueMs = nextDueMs(turn.state)
    if (dueMs === undefined || dueMs > turn.atMs) return
    const due = turn.state.due.first()?.[1] as Due
    dropDue(turn, dueMs, due)
    switch (due.kind) {
      case 'delivery':
        expire(turn, due)
        break
      case 'retry':
        queue(turn, taskOf(turn, due.taskId))
        break
      case 'deadline':
        kill(turn, taskOf(turn, due.taskId), 'deadline')
        break
      case 'search':
        turn.isSearching = true
        break
    }
  }
}

function expire(turn: Turn, { deliveryId }: Extract<Due, { readonly kind: 'delivery' }>): void {
  const delivery = deliveryOf(turn, deliveryId)
  const { workerId } = delivery
  turn.effects.push({ kind: 'cancelDelivery', workerId, deliveryId, reason: 'leaseExpired' })
  fail(turn, delivery, 'lost', 'the lease ended before an answer')
}
