/** Who gets what: gives tasks that want deliveries to workers that fit, oldest task and least loaded worker first. */
import type { DeliveryId, MicroCredit, TaskId, TimeMs, WorkerId } from '@shardy/protocol'
import { tally } from './agreement.ts'
import { isShortOfWorkers, keepsRoom, unfitness } from './fitness.ts'
import { deliveryIdOf, leaseEndMs } from './lease.ts'
import type { DeliveryRecord, TaskRecord } from './record.ts'
import { readyKey, type Search, type Worker } from './state.ts'
import { deliveriesOf, deliveryOf, putDelivery, putDue, putTask, record, type Turn, taskOf } from './turn.ts'

/** Bounds on one step. What a step does not look at, the next one does, so nobody hides behind those that do not fit. */
const missesPerStepMax = 64
const workersPerLookMax = 64
/** When nothing else happens, the search goes on after this pause. */
const searchPauseMs = 10

const firstPass: Search = { taskFrom: '', workerFrom: '', workerNext: '', isStale: false }

/** Looks for workers when a task or a worker has changed, or while an earlier search is unfinished. */
export function assign(turn: Turn): void {
  const { state, before } = turn
  const isChanged = state.ready !== before.ready || state.workers !== before.workers
  if (!isChanged && state.search === undefined) return
  const isStale = state.search !== undefined && (state.search.isStale || isChanged)
  const search = searchOn(turn, { ...(state.search ?? firstPass), isStale })
  state.search = search
  if (search !== undefined) putDue(turn, (turn.atMs + searchPauseMs) as TimeMs, { kind: 'search' })
}

/** Looks at as much as one step may; gives where to go on, or undefined when there is nothing left to find. */
function searchOn(turn: Turn, { taskFrom, workerFrom, workerNext, isStale }: Search): Search | undefined {
  const { state } = turn
  let next = workerNext
  let misses = 0
  for (const [key, taskId] of state.ready.entries(taskFrom)) {
    // Whoever becomes free is a change, and the search begins again with the oldest task.
    if (state.free.size === 0) return undefined
    if (misses === missesPerStepMax) return { taskFrom: key, workerFrom, workerNext: next, isStale }
    const stoppedAt = fill(turn, taskId, workerFrom)
    if (stoppedAt === undefined) continue
    misses++
    if (stoppedAt !== '' && (next === '' || stoppedAt < next)) next = stoppedAt
  }
  if (next !== '') return { taskFrom: '', workerFrom: next, workerNext: '', isStale }
  return isStale ? firstPass : undefined
}

/** Undefined when the task has all it wants; otherwise the first worker that was not looked at, or '' for none. */
function fill(turn: Turn, taskId: TaskId, workerFrom: string): string | undefined {
  for (;;) {
    const task = taskOf(turn, taskId)
    const deliveries = deliveriesOf(turn, task)
    const { wanted } = tally(task, deliveries)
    if (wanted === 0) {
      turn.state.ready = turn.state.ready.delete(readyKey(task))
      return undefined
    }
    const chosen = chooseWorker(turn, task, deliveries, wanted, workerFrom)
    if (typeof chosen === 'string') return chosen
    deliver(turn, task, chosen)
  }
}

function chooseWorker(
  turn: Turn,
  task: TaskRecord,
  deliveries: readonly DeliveryRecord[],
  wanted: number,
  workerFrom: string,
): Worker | string {
  const { state } = turn
  const triedBefore = new Set<WorkerId>(deliveries.map(({ workerId }) => workerId))
  let isShort: boolean | undefined
  let second: Worker | undefined
  let looked = 0
  for (const [key, workerId] of freeWorkers(turn, workerFrom)) {
    if (looked++ === 2 * workersPerLookMax) return second ?? key
    const worker = state.workers.get(workerId)
    if (worker === undefined || unfitness(task, deliveries, worker) !== undefined) continue
    if (keepsRoom(worker)) {
      isShort ??= isShortOfWorkers(state, task, deliveries, wanted)
      if (isShort) continue
    }
    if (!triedBefore.has(workerId)) return worker
    second ??= worker
  }
  return second ?? ''
}

/** The least loaded, then those from `workerFrom` on. */
function* freeWorkers({ state }: Turn, workerFrom: string): Generator<readonly [string, WorkerId]> {
  let count = 0
  for (const entry of state.free.entries()) {
    if (count++ === workersPerLookMax && entry[0] < workerFrom) {
      yield* state.free.entries(workerFrom)
      return
    }
    yield entry
  }
}

function deliver(turn: Turn, task: TaskRecord, worker: Worker): void {
  const { taskId } = task
  const { workerId } = worker
  const deliveryId: DeliveryId = deliveryIdOf(taskId, task.deliveryIds.length, turn.sha256)
  const deadlineMs = leaseEndMs(turn.atMs, task, worker, turn.state.policy)
  putTask(turn, { ...task, status: 'running', deliveryIds: [...task.deliveryIds, deliveryId] })
  putDelivery(turn, {
    deliveryId,
    taskId,
    workerId,
    state: 'leased',
    leasedAtMs: turn.atMs,
    deadlineMs,
    dueMs: deadlineMs,
    commitment: undefined,
    outputDigest: undefined,
    answer: undefined,
    outcome: undefined,
    rewardMicroCredit: 0n as MicroCredit,
  })
  record(turn, taskId, 'delivered', { deliveryId, workerId })
  turn.effects.push({ kind: 'deliver', task: taskOf(turn, taskId), delivery: deliveryOf(turn, deliveryId) })
}

/** Puts the task among those that want deliveries, when it does and its backoff allows. */
export function queue(turn: Turn, task: TaskRecord): void {
  const { wanted } = tally(task, deliveriesOf(turn, task))
  const key = readyKey(task)
  turn.state.ready =
    wanted > 0 && task.notBeforeMs <= turn.atMs
      ? turn.state.ready.set(key, task.taskId)
      : turn.state.ready.delete(key)
}
