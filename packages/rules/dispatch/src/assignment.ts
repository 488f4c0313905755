/**
 * Who gets what (spec D7): gives tasks that want deliveries to workers that fit, oldest task and least loaded worker
 * first.
 */
import {
  type DeliveryId,
  domainPayload,
  encodeHex,
  field,
  type MicroCredit,
  message,
  type Sha256,
  type TaskId,
  type TimeMs,
  values,
  type WorkerId,
} from '@shardy/protocol'
import { tally } from './agreement.ts'
import { isShortOfWorkers, keepsRoom, unfitness } from './fitness.ts'
import { deliveryIdOf, leaseEndMs } from './lease.ts'
import type { DeliveryRecord, TaskRecord } from './record.ts'
import { type DispatchState, rankIn, readyKey, type Search, type Worker } from './state.ts'
import {
  deliveriesOf,
  deliveryOf,
  putDelivery,
  putDue,
  putStanding,
  putTask,
  record,
  type Turn,
  taskOf,
} from './turn.ts'

/** How much one look may compare, so that no queue and no crowd makes a step slow. */
interface Bounds {
  readonly misses: number
  readonly workers: number
}

/** Every step that changed something looks at the oldest tasks and the least loaded workers. */
const glance: Bounds = { misses: 8, workers: 16 }
/** Where that was not all, a search looks at the rest, so that nobody hides behind those that do not fit. */
const thorough: Bounds = { misses: 64, workers: 64 }
const searchPauseMs = 10

const firstPass: Search = { taskFrom: '', workerFrom: '', workerNext: '', isStale: false }

export function assign(turn: Turn): void {
  const { state, before } = turn
  if (state.ready !== before.ready || state.workers !== before.workers) {
    const isAll = look(turn, firstPass, glance) === undefined
    for (const taskId of turn.woken) if (isReady(turn, taskId)) fill(turn, taskId, '', glance.workers)
    if (isAll || state.free.size === 0) state.search = undefined
    else if (state.search === undefined) begin(turn, firstPass)
    else state.search = { ...state.search, isStale: true }
  }
  if (turn.isSearching && state.search !== undefined) {
    const { search } = state
    begin(turn, look(turn, search, thorough) ?? (search.isStale ? firstPass : undefined))
  }
}

/** What the search has to do next; its own tick goes on with it. */
function begin(turn: Turn, search: Search | undefined): void {
  turn.state.search = search
  if (search !== undefined) putDue(turn, (turn.atMs + searchPauseMs) as TimeMs, { kind: 'search' })
}

function isReady({ state }: Turn, taskId: TaskId): boolean {
  const task = state.tasks.get(taskId)
  return task !== undefined && state.ready.has(readyKey(task))
}

/** Gives out what it can within the bounds. Gives where to go on, or undefined when everything was looked at. */
function look(turn: Turn, search: Search, bounds: Bounds): Search | undefined {
  const { state } = turn
  let { workerNext } = search
  let misses = 0
  for (const [key, taskId] of state.ready.entries(search.taskFrom)) {
    // Whoever becomes free is a change, and is offered the oldest task first.
    if (state.free.size === 0) return undefined
    if (misses === bounds.misses) return { ...search, taskFrom: key, workerNext }
    const stoppedAt = fill(turn, taskId, search.workerFrom, bounds.workers)
    if (stoppedAt === undefined) continue
    misses++
    if (stoppedAt !== '' && (workerNext === '' || stoppedAt < workerNext)) workerNext = stoppedAt
  }
  return workerNext === '' ? undefined : { ...search, taskFrom: '', workerFrom: workerNext, workerNext: '' }
}

/** Undefined when the task has all it wants; otherwise the first worker that was not looked at, or '' for none. */
function fill(turn: Turn, taskId: TaskId, workerFrom: string, workersMax: number): string | undefined {
  for (;;) {
    const task = taskOf(turn, taskId)
    const deliveries = deliveriesOf(turn, task)
    const { wanted } = tally(task, deliveries)
    if (wanted === 0) {
      turn.state.ready = turn.state.ready.delete(readyKey(task))
      return undefined
    }
    const chosen = chooseWorker(turn, task, deliveries, wanted, workerFrom, workersMax)
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
  workersMax: number,
): Worker | string {
  const { state } = turn
  const triedBefore = new Set<WorkerId>(deliveries.map(({ workerId }) => workerId))
  const nextId = deliveryIdOf(task, task.deliveryIds.length, turn.sha256)
  let isShort: boolean | undefined
  let first: Candidate | undefined
  let second: Candidate | undefined
  let looked = 0
  for (const [key, workerId] of freeWorkers(turn, nextId, workerFrom, workersMax)) {
    const rank = rankIn(key)
    // Those that are looked at next are sorted by their ids, which their owners choose.
    const isOver = looked === workersMax || looked === 2 * workersMax
    if (first !== undefined && (isOver || rank !== first.rank)) return first.worker
    if (looked++ === 2 * workersMax) return second?.worker ?? key
    const worker = state.workers.get(workerId)
    if (worker === undefined || unfitness(task, deliveries, worker, state.policy) !== undefined) continue
    if (keepsRoom(task, worker, state.policy)) {
      isShort ??= isShortOfWorkers(state, task, deliveries, wanted)
      if (isShort) continue
    }
    const candidate: Candidate = { worker, rank, draw: drawOf(nextId, workerId, turn.sha256) }
    if (triedBefore.has(workerId)) second = better(second, candidate)
    else first = better(first, candidate)
  }
  return (first ?? second)?.worker ?? ''
}

interface Candidate {
  readonly worker: Worker
  readonly rank: string
  readonly draw: string
}

function better(best: Candidate | undefined, other: Candidate): Candidate {
  return best === undefined || (other.rank === best.rank && other.draw < best.draw) ? other : best
}

/** The order among equals differs with every delivery, so that no worker's id is good for all of them. */
function drawOf(deliveryId: DeliveryId, workerId: WorkerId, sha256: Sha256): string {
  return encodeHex(sha256(domainPayload('retry', drawContent.encode({ deliveryId, workerId }))))
}

const drawContent = message('DrawContent', {
  deliveryId: field(1, values.deliveryId),
  workerId: field(2, values.workerId),
})

/**
 * Some of the first in line, where those of the first rank begin at a point that the task draws; then, where there
 * are more, all from `workerFrom` on.
 */
function* freeWorkers(
  { state }: Turn,
  point: string,
  workerFrom: string,
  workersMax: number,
): Generator<readonly [string, WorkerId]> {
  let count = 0
  for (const entry of inLine(state.free, point)) {
    if (count++ === workersMax) {
      yield* state.free.entries(workerFrom)
      return
    }
    yield entry
  }
}

function* inLine(free: DispatchState['free'], point: string): Generator<readonly [string, WorkerId]> {
  const rank = rankIn(free.first()?.[0] ?? '')
  const from = `${rank}:${point}`
  for (const entry of free.entries(from)) {
    if (rankIn(entry[0]) !== rank) break
    yield entry
  }
  for (const entry of free.entries()) {
    if (entry[0] >= from) break
    yield entry
  }
  // ';' comes right after ':', so this is behind the whole first rank.
  yield* free.entries(`${rank};`)
}

function deliver(turn: Turn, task: TaskRecord, worker: Worker): void {
  const { taskId } = task
  const { workerId } = worker
  const deliveryId: DeliveryId = deliveryIdOf(task, task.deliveryIds.length, turn.sha256)
  meet(turn, worker)
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
    traceRoot: undefined,
    answer: undefined,
    outcome: undefined,
    rewardMicroCredit: 0n as MicroCredit,
  })
  record(turn, taskId, 'delivered', { deliveryId, workerId })
  turn.effects.push({ kind: 'deliver', task: taskOf(turn, taskId), delivery: deliveryOf(turn, deliveryId) })
}

/** Whoever has had a delivery is named in its receipt, which needs the worker's key. */
function meet(turn: Turn, { workerId, publicKey }: Worker): void {
  if (turn.state.standings.has(workerId)) return
  putStanding(turn, {
    workerId,
    publicKey,
    firstSeenMs: turn.atMs,
    acceptedCount: 0,
    disagreedCount: 0,
    earnedMicroCredit: 0n as MicroCredit,
  })
}

/** Puts the task among those that want deliveries, when it does and its backoff allows. */
export function queue(turn: Turn, task: TaskRecord): void {
  const { state } = turn
  const { wanted } = tally(task, deliveriesOf(turn, task))
  const key = readyKey(task)
  if (wanted === 0 || task.notBeforeMs > turn.atMs) {
    state.ready = state.ready.delete(key)
    return
  }
  state.ready = state.ready.set(key, task.taskId)
  turn.woken.push(task.taskId)
}
