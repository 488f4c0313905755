/**
 * Dispatch as a pure function: `step(state, input) → { state, effects }`. The switch is its table of contents. Given
 * the same inputs it makes the same decisions, so a log replays and a simulation needs no network.
 */
import { commitTo, type MicroCredit, type Sha256 } from '@shardy/protocol'
import { assign, queue } from './assignment.ts'
import type { IgnoredReason } from './effect.ts'
import type { Input } from './input.ts'
import type { DeliveryRecord } from './record.ts'
import { SortedMap } from './sortedMap.ts'
import { type DispatchState, type Due, nextDueMs } from './state.ts'
import {
  closeTurn,
  deliveryOf,
  dropDue,
  dropWorker,
  openTurn,
  putDelivery,
  putDue,
  putStanding,
  putTask,
  putWorker,
  record,
  type Step,
  type Turn,
  taskOf,
} from './turn.ts'
import { cancelTask, fail, kill, review } from './verdict.ts'

type InputOf<Kind extends Input['kind']> = Extract<Input, { readonly kind: Kind }>

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
      return ack(turn, input)
    case 'committed':
      return commit(turn, input)
    case 'revealed':
      return reveal(turn, input)
    case 'answered':
      return answer(turn, input)
    case 'corrupted':
      return withDelivery(turn, input, (delivery) =>
        delivery.state === 'answered'
          ? ignore(turn, 'alreadyAnswered')
          : fail(turn, delivery, 'corrupted', input.detail),
      )
    case 'rejected':
      return withDelivery(turn, input, (delivery) =>
        delivery.state === 'answered'
          ? ignore(turn, 'alreadyAnswered')
          : fail(turn, delivery, 'rejected', `${input.reason}: ${input.message}`.slice(0, 256)),
      )
    case 'tick':
      return tick(turn)
  }
}

function ignore(turn: Turn, reason: IgnoredReason): void {
  turn.effects.push({ kind: 'ignored', reason })
}

function submit(turn: Turn, { task }: InputOf<'submit'>): void {
  const { liveTasksMax } = turn.state.policy
  if (turn.state.tasks.has(task.taskId)) {
    turn.effects.push({ kind: 'refused', refusal: { kind: 'duplicate', taskId: task.taskId } })
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
  turn.references.push({ digest: task.inputDigest, taskId: task.taskId })
  putDue(turn, task.deadlineMs, { kind: 'deadline', taskId: task.taskId })
  record(turn, task.taskId, 'submitted')
  queue(turn, taskOf(turn, task.taskId))
}

function cancel(turn: Turn, { taskId }: InputOf<'cancel'>): void {
  const task = turn.state.tasks.get(taskId)
  if (task === undefined) ignore(turn, 'unknownTask')
  else cancelTask(turn, task)
}

/** A worker that joins again replaces its earlier session, whose deliveries are lost. */
function join(turn: Turn, input: InputOf<'workerJoined'>): void {
  const { workerId, publicKey, kinds, operationsPerSecond, payloadBytesMax, slots } = input
  if (turn.state.workers.has(workerId)) leave(turn, { ...input, kind: 'workerLeft' })
  if (!turn.state.standings.has(workerId)) {
    putStanding(turn, {
      workerId,
      publicKey,
      firstSeenMs: turn.atMs,
      acceptedCount: 0,
      disagreedCount: 0,
      earnedMicroCredit: 0n as MicroCredit,
    })
  }
  putWorker(turn, {
    workerId,
    kinds,
    operationsPerSecond,
    payloadBytesMax,
    slots,
    presence: 'available',
    held: SortedMap.empty(),
    busySlots: 0,
  })
}

function leave(turn: Turn, { workerId }: InputOf<'workerLeft'>): void {
  const worker = turn.state.workers.get(workerId)
  if (worker === undefined) return ignore(turn, 'unknownWorker')
  dropWorker(turn, worker)
  for (const [deliveryId] of worker.held.entries()) {
    const delivery = turn.state.deliveries.get(deliveryId)
    // A verdict on an earlier one may have ended the task; an answer stays good when its sender leaves.
    if (delivery === undefined || delivery.state === 'settled' || delivery.state === 'answered') continue
    fail(turn, delivery, 'lost', 'the worker left')
  }
}

function changePresence(turn: Turn, { workerId, state, atMs }: InputOf<'presence'>): void {
  const worker = turn.state.workers.get(workerId)
  if (worker === undefined) return ignore(turn, 'unknownWorker')
  if (state === 'leaving') return leave(turn, { kind: 'workerLeft', workerId, atMs })
  putWorker(turn, { ...worker, presence: state })
}

/** Messages about a delivery that is not open, or is another worker's, change nothing. */
function withDelivery(
  turn: Turn,
  {
    deliveryId,
    workerId,
  }: InputOf<'acked'> | InputOf<'answered'> | InputOf<'corrupted'> | InputOf<'rejected'>,
  act: (delivery: DeliveryRecord) => void,
): void {
  const delivery = turn.state.deliveries.get(deliveryId)
  if (delivery === undefined || delivery.state === 'settled') return ignore(turn, 'unknownDelivery')
  if (delivery.workerId !== workerId) return ignore(turn, 'notYours')
  act(delivery)
}

function ack(turn: Turn, input: InputOf<'acked'>): void {
  withDelivery(turn, input, (delivery) => {
    if (delivery.state !== 'leased') return ignore(turn, 'alreadyAcked')
    putDelivery(turn, { ...delivery, state: 'computing' })
    const { taskId, deliveryId, workerId } = delivery
    record(turn, taskId, 'acked', { deliveryId, workerId })
  })
}

function commit(turn: Turn, input: InputOf<'committed'>): void {
  withDelivery(turn, { ...input, kind: 'acked' }, (delivery) => {
    if (delivery.commitment !== undefined) return ignore(turn, 'alreadyCommitted')
    const { taskId, deliveryId, workerId } = delivery
    putDelivery(turn, { ...delivery, state: 'committed', commitment: input.commitment })
    record(turn, taskId, 'committed', { deliveryId, workerId })
    review(turn, taskOf(turn, taskId))
  })
}

function reveal(turn: Turn, input: InputOf<'revealed'>): void {
  withDelivery(turn, { ...input, kind: 'acked' }, (delivery) => {
    if (delivery.state !== 'revealing') return ignore(turn, 'notCommitted')
    const { deliveryId, workerId } = delivery
    const { outputDigest, salt } = input
    if (commitTo({ workerId, deliveryId, outputDigest, salt }, turn.sha256) !== delivery.commitment) {
      return fail(turn, delivery, 'corrupted', 'the revealed digest is not the one committed to')
    }
    putDelivery(turn, { ...delivery, state: 'revealed', outputDigest })
  })
}

function answer(turn: Turn, input: InputOf<'answered'>): void {
  withDelivery(turn, input, (delivery) => {
    const { taskId, deliveryId, workerId, outputDigest } = delivery
    if (delivery.state === 'answered') return ignore(turn, 'alreadyAnswered')
    if (delivery.state !== 'revealed') {
      return fail(turn, delivery, 'corrupted', 'answered before committing and revealing')
    }
    if (input.outputDigest !== outputDigest) {
      return fail(turn, delivery, 'corrupted', 'the answer is not the one revealed')
    }
    putDelivery(turn, { ...delivery, state: 'answered', answer: input.attestation })
    record(turn, taskId, 'answered', { deliveryId, workerId, outputDigest })
    review(turn, taskOf(turn, taskId))
  })
}

function tick(turn: Turn): void {
  for (let count = 0; count < duePerStepMax; count++) {
    const dueMs = nextDueMs(turn.state)
    if (dueMs === undefined || dueMs > turn.atMs) return
    const due = turn.state.due.first()?.[1] as Due
    if (due.kind === 'delivery') {
      const { workerId, deliveryId } = deliveryOf(turn, due.deliveryId)
      turn.effects.push({ kind: 'cancelDelivery', workerId, deliveryId, reason: 'leaseExpired' })
      fail(turn, deliveryOf(turn, deliveryId), 'lost', 'the lease ended before an answer')
      continue
    }
    dropDue(turn, dueMs, due)
    const task = taskOf(turn, due.taskId)
    if (due.kind === 'deadline') kill(turn, task, 'deadline')
    else queue(turn, task)
  }
}
