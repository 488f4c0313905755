/** What is true of every state, whatever happened: the indexes say what the records say, computed here from scratch. */
import { commitmentsAreIn, tally } from '../src/agreement.ts'
import { isShortOfWorkers, keepsRoom, unfitness } from '../src/fitness.ts'
import { type DeliveryRecord, type DispatchState, isEnded, type TaskRecord } from '../src/index.ts'
import { dueKey, freeKey, heldMax, readyKey } from '../src/state.ts'
import { Broken } from './broken.ts'

export function assertInvariants(state: DispatchState): void {
  const deliveries = [...state.deliveries.values()]
  assertTasks(state)
  assertWorkers(state, deliveries)
  assertDue(state, deliveries)
  if (state.search === undefined) assertNobodyIsOverlooked(state)
}

const isOut = ({ state }: DeliveryRecord): boolean => state !== 'answered' && state !== 'settled'

function deliveriesOf(state: DispatchState, task: TaskRecord): readonly DeliveryRecord[] {
  return task.deliveryIds.map((deliveryId) => {
    const delivery = state.deliveries.get(deliveryId)
    if (delivery === undefined) throw new Broken('a live task lacks a delivery', task)
    return delivery
  })
}

function assertTasks(state: DispatchState): void {
  const { attemptsMax, liveTasksMax } = state.policy
  if (state.tasks.size > liveTasksMax) throw new Broken('more live tasks than allowed')
  let deliveryCount = 0
  for (const [taskId, task] of state.tasks.entries()) {
    if (task.taskId !== taskId || isEnded(task.status)) throw new Broken('an ended task is live', task)
    const deliveries = deliveriesOf(state, task)
    deliveryCount += deliveries.length
    const { agreed, pending, wanted, mismatched } = tally(task, deliveries)
    if (agreed !== undefined) throw new Broken('agreement without a verdict', task)
    if (mismatched && !task.mismatched) throw new Broken('a mismatch was not told', task)
    if (task.status !== (pending > 0 ? 'running' : 'waiting')) throw new Broken('wrong status', task)
    if (wanted > attemptsMax - task.deliveryIds.length) throw new Broken('cannot end in agreement', task)
    if (task.failures !== deliveries.filter((each) => each.state === 'settled').length) {
      throw new Broken('failures are not what came to nothing', task)
    }
    const live = deliveries.filter((each) => each.state !== 'settled')
    if (live.length > new Set(live.map(({ workerId }) => workerId)).size) {
      throw new Broken('a worker has two live deliveries of one task', task)
    }
    if (commitmentsAreIn(task, deliveries) && live.some((each) => each.state === 'committed')) {
      throw new Broken('commitments are in and not closed', task)
    }
    const isReady = state.ready.has(readyKey(task))
    const retries = state.due.has(dueKey(task.notBeforeMs, { kind: 'retry', taskId }))
    if (wanted > 0 && !isReady && !retries) throw new Broken('a task that wants a worker is forgotten', task)
    if (wanted === 0 && isReady) throw new Broken('a task is ready that wants nobody', task)
  }
  if (deliveryCount !== state.deliveries.size) throw new Broken('a delivery outlived its task')
  for (const [key, taskId] of state.ready.entries()) {
    const task = state.tasks.get(taskId)
    if (task === undefined || readyKey(task) !== key) throw new Broken('an ended task is ready', key)
  }
}

function assertWorkers(state: DispatchState, deliveries: readonly DeliveryRecord[]): void {
  const out = deliveries.filter(isOut)
  let freeCount = 0
  for (const [workerId, worker] of state.workers.entries()) {
    const own = out.filter((each) => each.workerId === workerId)
    const held = [...worker.held.entries()].map(([deliveryId]) => deliveryId)
    if (!Bun.deepEquals(held, own.map(({ deliveryId }) => deliveryId).sort())) {
      throw new Broken('a worker does not hold what is out with it', { held, own })
    }
    const busy = own.filter((each) => each.state === 'leased' || each.state === 'computing').length
    const bytes = own.reduce((sum, { taskId }) => sum + (state.tasks.get(taskId)?.outputLength ?? 0), 0)
    if (worker.heldBytes !== bytes) throw new Broken('held bytes are miscounted', worker)
    if (bytes > state.policy.heldBytesMax) throw new Broken('a worker holds too much output', worker)
    if (worker.busySlots !== busy) throw new Broken('busy slots are miscounted', worker)
    if (busy > worker.slots || held.length > heldMax) throw new Broken('a worker has too much', worker)
    const isFree = worker.presence !== 'paused' && busy < worker.slots && held.length < heldMax
    if (state.free.has(freeKey(worker)) !== isFree) throw new Broken('the free list is wrong', worker)
    if (isFree) freeCount++
  }
  if (freeCount !== state.free.size) throw new Broken('a worker that left is free')
  const unknown = deliveries.find(({ workerId }) => !state.standings.has(workerId))
  if (unknown !== undefined) throw new Broken('a worker with a delivery has no standing', unknown)
  const lost = out.find(({ workerId }) => !state.workers.has(workerId))
  if (lost !== undefined) throw new Broken('a delivery is out with nobody', lost)
}

function assertDue(state: DispatchState, deliveries: readonly DeliveryRecord[]): void {
  const timed = new Set<string>()
  for (const { taskId, deadlineMs } of state.tasks.values()) {
    timed.add(dueKey(deadlineMs, { kind: 'deadline', taskId }))
  }
  for (const each of deliveries) {
    if (!isOut(each) || each.state === 'committed') continue
    timed.add(dueKey(each.dueMs, { kind: 'delivery', deliveryId: each.deliveryId }))
  }
  for (const key of timed) if (!state.due.has(key)) throw new Broken('something will never fall due', key)
  for (const [key, due] of state.due.entries()) {
    if (due.kind === 'search' || timed.has(key)) continue
    const task = due.kind === 'retry' ? state.tasks.get(due.taskId) : undefined
    if (task === undefined || dueKey(task.notBeforeMs, due) !== key) {
      throw new Broken('something falls due that is over', key)
    }
  }
  const searches = [...state.due.values()].some(({ kind }) => kind === 'search')
  if (state.search !== undefined && !searches) throw new Broken('a search will not go on', state.search)
}

/** No task waits while a worker idles that could take it. */
function assertNobodyIsOverlooked(state: DispatchState): void {
  for (const taskId of state.ready.values()) {
    const task = state.tasks.get(taskId)
    if (task === undefined) throw new Broken('an ended task is ready', taskId)
    const deliveries = deliveriesOf(state, task)
    const { wanted } = tally(task, deliveries)
    const isShort = isShortOfWorkers(state, task, deliveries, wanted)
    for (const workerId of state.free.values()) {
      const worker = state.workers.get(workerId)
      if (worker === undefined) throw new Broken('a worker that left is free', workerId)
      if (unfitness(task, deliveries, worker, state.policy) !== undefined) continue
      if (isShort && keepsRoom(task, worker, state.policy)) continue
      throw new Broken('a task waits beside a worker that could take it', { task, worker })
    }
  }
}
