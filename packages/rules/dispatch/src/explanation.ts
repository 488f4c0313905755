/** Why a task is not running, and why a worker gets nothing: the constraint by name, with the numbers that matter. */
import { classUnfitness, type Unfit, unfitness } from './fitness.ts'
import type { DispatchPolicy } from './policy.ts'
import { isEnded } from './record.ts'
import type { DispatchState } from './state.ts'
import type { Task } from './task.ts'
import { isExamined } from './verdict.ts'
import { heldMax, unavailable, type Worker } from './worker.ts'

const workersScannedMax = 1024

export interface Explanation {
  /** Stable names; the most frequent first. */
  readonly constraints: readonly { readonly constraint: Constraint; readonly workers: number }[]
  readonly text: string
}

export type Constraint =
  | Unfit
  | 'backoff'
  | 'noWorkerConnected'
  | 'dispatchPaused'
  | 'othersFirst'
  | 'noTaskWaits'
  | 'beingChecked'

const words: Readonly<Record<Unfit, string>> = {
  wrongKind: 'not taking this kind of task',
  tierTooLow: 'of too low a tier',
  featureMissing: 'without a feature that it needs',
  proofNotMade: 'not making the proof that it asks for',
  payloadTooLarge: 'too small for its input or output',
  memoryTooSmall: 'with too little memory',
  paysTooLittle: 'asking for more than it pays',
  hasHadThisTask: 'already had it',
  sameOperator: 'of an operator that has it already',
  otherHardware: 'of other hardware than those that have it',
  holdsTooMuch: 'holding too many bytes of output',
  roomIsKept: 'keeping room for tasks that can be completed',
  paused: 'paused',
  draining: 'draining',
  quarantined: 'in quarantine',
  beingMeasured: 'being measured',
  failing: 'waiting because what they had came to nothing',
  noFreeSlot: 'without a free slot',
  prefetchFull: 'with enough work for now',
  holdsTooMany: 'full of answers not yet revealed',
}

/** Undefined when the task has all the deliveries it wants. */
export function explainWaiting(state: DispatchState, task: Task): Explanation | undefined {
  if (isEnded(task.status)) return undefined
  if (task.wants === 0) {
    return isExamined(task) ? only('beingChecked', 'its answer is being checked') : undefined
  }
  const more = `needs ${task.wants} more worker${task.wants === 1 ? '' : 's'}`
  if (state.mode === 'paused') return only('dispatchPaused', `${more}; an operator has paused dispatch`)
  if (task.notBeforeMs > state.atMs) {
    const leftMs = task.notBeforeMs - state.atMs
    return only('backoff', `${more}; tries again in ${leftMs} ms after ${task.failures} failed`)
  }
  if (state.workers.size === 0) return only('noWorkerConnected', `${more}; no worker is connected`)
  const counts = new Map<Constraint, number>()
  let scanned = 0
  for (const worker of state.workers.values()) {
    if (++scanned > workersScannedMax) break
    const constraint = unfitness(task, worker, state.policy) ?? 'othersFirst'
    counts.set(constraint, (counts.get(constraint) ?? 0) + 1)
  }
  const constraints = [...counts]
    .map(([constraint, workers]) => ({ constraint, workers }))
    .sort((left, right) => right.workers - left.workers)
  const counted = constraints.map(({ constraint, workers }) =>
    constraint === 'othersFirst' ? `${workers} about to get it` : `${workers} ${words[constraint as Unfit]}`,
  )
  return { constraints, text: `${more}; of ${state.workers.size} connected: ${counted.join(', ')}` }
}

function only(constraint: Constraint, text: string): Explanation {
  return { constraints: [{ constraint, workers: 0 }], text }
}

const ownWords = (policy: DispatchPolicy): Partial<Record<Unfit, string>> => ({
  paused: 'you are paused',
  draining: 'an operator is draining you',
  quarantined: 'an answer of yours was wrong: you get work again after a fresh benchmark',
  beingMeasured: 'you are being measured anew',
  failing: 'too much of what you had came to nothing: you get work again after a pause',
  noFreeSlot: 'all your slots are busy',
  prefetchFull: `you have work for the next ${policy.prefetchMs} ms`,
  holdsTooMany: `you hold ${heldMax} answers that are not revealed yet`,
})

/** Why a connected worker gets nothing; undefined while it has work. */
export function explainIdle(state: DispatchState, worker: Worker): Explanation | undefined {
  if (worker.computing > 0) return undefined
  const own = unavailable(worker, state.policy)
  if (own !== undefined) return only(own, ownWords(state.policy)[own] ?? own)
  if (state.mode === 'paused') return only('dispatchPaused', 'an operator has paused dispatch')
  const counts = new Map<Constraint, number>()
  let waiting = 0
  for (const taskClass of state.waitingClasses) {
    const { size } = taskClass.queue
    if (size === 0) continue
    waiting += size
    let constraint: Constraint | undefined = classUnfitness(taskClass, worker)
    if (constraint === undefined) {
      for (const task of taskClass.queue.waiting()) {
        constraint = unfitness(task, worker, state.policy) ?? 'othersFirst'
        break
      }
    }
    if (constraint !== undefined) counts.set(constraint, (counts.get(constraint) ?? 0) + size)
  }
  if (waiting === 0) return only('noTaskWaits', 'no task is waiting')
  const constraints = [...counts]
    .map(([constraint, tasks]) => ({ constraint, workers: tasks }))
    .sort((left, right) => right.workers - left.workers)
  const counted = constraints.map(
    ({ constraint, workers }) => `${workers} ${taskWords[constraint] ?? constraint}`,
  )
  const wait = waiting === 1 ? '1 task waits' : `${waiting} tasks wait`
  return { constraints, text: `${wait}, none for you: ${counted.join(', ')}` }
}

const taskWords: Partial<Record<Constraint, string>> = {
  wrongKind: 'of a kind that you do not take',
  tierTooLow: 'for a higher tier than yours',
  featureMissing: 'for a feature that your device lacks',
  proofNotMade: 'with a proof that you do not make',
  payloadTooLarge: 'larger than what you take',
  memoryTooSmall: 'for more memory than you showed',
  paysTooLittle: 'paying less than you ask',
  hasHadThisTask: 'that you have had already',
  sameOperator: 'that another worker of yours has',
  otherHardware: 'for other hardware, to compare floats',
  holdsTooMuch: 'with more output than you may hold',
  roomIsKept: 'that too few workers are connected for',
  othersFirst: 'about to be given out',
}
