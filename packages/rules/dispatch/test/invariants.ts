/** What is true of every state, whatever happened: the indexes say what the records say, computed here from scratch. */
import { needed, tally } from '../src/agreement.ts'
import { type DispatchState, isComputing, isEnded, isOut, nextDueMs, type Worker } from '../src/index.ts'
import { awayMax } from '../src/state.ts'
import type { Task } from '../src/task.ts'
import { isExamined } from '../src/verdict.ts'
import { heldMax, unavailable } from '../src/worker.ts'
import { Broken } from './broken.ts'

export function assertInvariants(state: DispatchState): void {
  for (const task of state.tasks.values()) assertTask(state, task)
  for (const worker of state.workers.values()) assertWorker(state, worker)
  assertDeliveries(state)
  assertQueues(state)
  assertIdle(state)
  assertFailing(state)
  assertExposure(state)
}

function assertTask(state: DispatchState, task: Task): void {
  const found = tally(task)
  const { deliveries, status, wants, notBeforeMs, place } = task
  if (isEnded(status)) throw new Broken('an ended task is live', task.spec)
  if (status !== (found.pending > 0 || isExamined(task) ? 'running' : 'waiting'))
    throw new Broken('wrong status', status)
  if (isExamined(task) && wants > 0) throw new Broken('somebody is asked while answers are examined', wants)
  if (!isExamined(task) && wants < needed(task, found))
    throw new Broken('agreement is out of reach', deliveries.length)
  const waits = wants > 0 && notBeforeMs <= state.atMs
  const expected = waits ? (deliveries.length === 0 ? 'fresh' : 'started') : 'none'
  // What is due and not ticked yet may still wait for its pause to end.
  if (place !== expected && task.dueAtMs > state.atMs)
    throw new Broken(`stands ${place}, not ${expected}`, task.spec)
  const open = deliveries.filter(({ state }) => state !== 'settled').map(({ workerId }) => workerId)
  if (new Set(open).size < open.length) throw new Broken('two live leases of one worker on one task', open)
  if (task.dueIndex < 0) throw new Broken('will never fall due', task.spec.taskId)
  const times = deliveries
    .filter(({ state }) => state === 'leased' || state === 'computing' || state === 'revealing')
    .map(({ dueMs }) => dueMs as number)
  if (wants > 0 && notBeforeMs > state.atMs) times.push(notBeforeMs)
  const dueMs = Math.min(task.deadlineMs, ...times)
  if (task.dueAtMs > dueMs) throw new Broken('falls due too late', { dueMs, dueAtMs: task.dueAtMs })
  if (task.dueAtMs < (nextDueMs(state) ?? Number.POSITIVE_INFINITY))
    throw new Broken('the heap is out of order')
}

function assertFailing({ failing, failingUntilMs, workers, standings }: DispatchState): void {
  const untilMs: number[] = []
  for (const standing of standings.values()) {
    const isFailing = standing.failingUntilMs !== undefined
    if (isFailing !== failing.has(standing)) throw new Broken('a pause that nobody ends', standing.workerId)
    if (standing.failingUntilMs !== undefined) untilMs.push(standing.failingUntilMs)
  }
  for (const { workerId, failing } of workers.values()) {
    if (failing !== (standings.get(workerId)?.failingUntilMs !== undefined))
      throw new Broken('a session that knows nothing of its pause', workerId)
  }
  if (failing.size !== untilMs.length) throw new Broken('who is forgotten is waited for')
  const firstMs = Math.min(...untilMs)
  if (untilMs.length > 0 && (failingUntilMs === undefined || failingUntilMs > firstMs))
    throw new Broken('a pause ends too late')
}

function assertWorker(state: DispatchState, worker: Worker): void {
  const { held, computing, heldBytes, busyMs, profile } = worker
  const own = [...state.deliveries.values()].filter((each) => each.worker === worker)
  if (own.length !== held.size || own.some((each) => !held.has(each)))
    throw new Broken('does not hold what is out')
  if (own.some((each) => !isOut(each))) throw new Broken('holds what it has answered')
  if (computing !== own.filter(isComputing).length) throw new Broken('miscounted what it computes', computing)
  if (computing > profile.slots + profile.prefetch)
    throw new Broken('has more than slots and prefetch', computing)
  if (held.size > heldMax) throw new Broken('holds too many', held.size)
  const bytes = own.reduce((sum, { task }) => sum + task.spec.outputLength, 0)
  if (heldBytes !== bytes) throw new Broken('held bytes are miscounted', { heldBytes, bytes })
  if (heldBytes > state.policy.heldBytesMax) throw new Broken('holds too many bytes', heldBytes)
  const ms = own.filter(isComputing).reduce((sum, { estimateMs }) => sum + estimateMs, 0)
  if (Math.abs(ms - busyMs) > 1e-6 * (1 + ms)) throw new Broken('busy time is miscounted', { ms, busyMs })
}

function assertDeliveries(state: DispatchState): void {
  const live = [...state.tasks.values()].flatMap(({ deliveries }) => deliveries)
  const open = live.filter((each) => each.state !== 'settled')
  if (open.length !== state.deliveries.size)
    throw new Broken('a delivery outlived its task, or was forgotten')
  for (const delivery of open) {
    if (state.deliveries.get(delivery.deliveryId) !== delivery)
      throw new Broken('a delivery is not found', delivery.deliveryId)
    if (isOut(delivery) && state.workers.get(delivery.workerId) !== delivery.worker)
      throw new Broken('out with nobody')
    if (!state.standings.has(delivery.workerId)) throw new Broken('a worker without a standing')
  }
  const audited = new Map<string, number>()
  for (const { task } of state.audits.values())
    audited.set(task.spec.taskId, (audited.get(task.spec.taskId) ?? 0) + 1)
  if (audited.size !== state.auditsOf.size) throw new Broken('the audits of tasks are miscounted')
  for (const [taskId, count] of state.auditsOf)
    if (audited.get(taskId) !== count) throw new Broken('the audits of a task are miscounted', taskId)
  for (const audit of state.audits.values()) {
    if (audit.state !== 'settled' || audit.check !== 'asked')
      throw new Broken('not an audit', audit.deliveryId)
  }
}

function assertQueues(state: DispatchState): void {
  const flows = new Map<string, { live: number; waiting: number }>()
  const classes = new Map<string, number>()
  for (const { spec, place, taskClass } of state.tasks.values()) {
    const flow = flows.get(spec.requesterId) ?? { live: 0, waiting: 0 }
    flow.live++
    if (place === 'fresh') flow.waiting++
    flows.set(spec.requesterId, flow)
    classes.set(taskClass.key, (classes.get(taskClass.key) ?? 0) + 1)
    if (place !== 'none' && !state.waitingClasses.has(taskClass)) throw new Broken('waits where nobody looks')
  }
  for (const flow of state.flows.values()) {
    const { live = 0, waiting = 0 } = flows.get(flow.requesterId) ?? {}
    if (flow.liveTasks !== live || flow.waiting !== waiting)
      throw new Broken('a flow is miscounted', { flow, live, waiting })
    const brought = [...state.classes.values()].filter(({ broughtBy }) => broughtBy === flow).length
    if (flow.classes !== brought) throw new Broken('classes of a requester are miscounted', flow)
    const isNobody = flow.liveTasks === 0 && flow.classes === 0
    if (isNobody !== state.away.has(flow)) throw new Broken('a requester is remembered for nothing', flow)
  }
  for (const flow of state.away) {
    if (state.flows.get(flow.requesterId) !== flow) throw new Broken('away and forgotten', flow)
  }
  if (state.away.size > awayMax) throw new Broken('too many are remembered', state.away.size)
  for (const taskClass of state.classes.values()) {
    if (taskClass.liveTasks !== classes.get(taskClass.key))
      throw new Broken('a class is miscounted', taskClass.key)
    const waiting = [...taskClass.queue.waiting()]
    if (waiting.length !== taskClass.queue.size) throw new Broken('a queue is miscounted', taskClass.key)
    if (new Set(waiting).size < waiting.length) throw new Broken('a task stands twice', taskClass.key)
    if (waiting.some((task) => task.place === 'none'))
      throw new Broken('a task stands where it left', taskClass.key)
  }
  for (const taskClass of state.waitingClasses) {
    if (state.classes.get(taskClass.key) !== taskClass)
      throw new Broken('a class that is forgotten is looked at')
  }
  if (classes.size !== state.classes.size) throw new Broken('a class outlived its tasks')
}

function assertIdle(state: DispatchState): void {
  for (const worker of state.workers.values()) {
    const isIdle = unavailable(worker, state.policy) === undefined
    if (isIdle !== (state.idle[worker.idleIndex] === worker))
      throw new Broken('the idle list is wrong', worker.workerId)
  }
  if (state.idle.some((worker) => state.workers.get(worker.workerId) !== worker))
    throw new Broken('a worker that left is idle')
}

function assertExposure(state: DispatchState): void {
  for (const standing of state.standings.values()) {
    const undecided = [...state.deliveries.values(), ...state.audits.values()]
    const sum = undecided
      .filter(({ workerId }) => workerId === standing.workerId)
      .reduce((total, { exposureMicroCredit }) => total + exposureMicroCredit, 0n)
    if (standing.exposureMicroCredit !== sum) throw new Broken('exposure is miscounted', { standing, sum })
  }
}
