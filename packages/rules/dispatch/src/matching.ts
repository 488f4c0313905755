/**
 * Who gets what (spec D7). A worker that can take something is offered what waits; a task that comes to want workers is
 * offered to a few of the idle, of whom the best gets it. Every look is bounded, and a sweep that runs beside the steps
 * looks at the rest, so that no queue and no crowd makes a step slow and nobody is hidden for long.
 */
import type { MicroCredit, TimeMs, WorkerId } from '@shardy/protocol'
import type { ClassQueue } from './classQueue.ts'
import { classUnfitness, roomUnfitness, taskUnfitness } from './fitness.ts'
import { deliveryIdOf, estimateMs, leaseEndMs } from './lease.ts'
import { reschedule } from './schedule.ts'
import { meet, reputationOf, standingOf } from './standing.ts'
import { type DispatchState, drawNumber, flowOf, record } from './state.ts'
import { newDelivery, type Task } from './task.ts'
import { failingMs, hold, remember, unavailable, type Worker } from './worker.ts'

const startedLooksMax = 32
const candidatesMax = 16
const sweepMax = 64
const sweepPauseMs = 50

/** The worker may have become able to take something, or unable. */
export function touch(state: DispatchState, worker: Worker): void {
  state.freed.add(worker)
}

/** Puts a task where its wants are seen, or takes it from there. */
export function queue(state: DispatchState, task: Task): void {
  const { queue } = task.taskClass
  const waits = task.wants > 0 && task.notBeforeMs <= state.atMs
  if (!waits) return queue.leave(task)
  // Whatever makes it want more, or lets others fit, has it leave first: a pause, or answers being examined.
  if (task.place !== 'none') return
  state.waitingClasses.add(task.taskClass)
  if (task.deliveries.length === 0) {
    const flow = flowOf(state, task.spec.requesterId)
    // Who comes back after a pause has not saved up a claim to everything.
    if (flow.waiting === 0) flow.virtualTime = Math.max(flow.virtualTime, state.virtualTime)
    queue.addFresh(task, flow)
  } else {
    queue.addStarted(task)
  }
  state.woken.push(task)
}

/** Gives out what the step has made possible. */
export function serve(state: DispatchState): void {
  if (state.freed.size > 0) {
    for (const worker of state.freed) {
      pull(state, worker)
      place(state, worker)
    }
    state.freed.clear()
  }
  if (state.woken.length === 0) return
  for (const task of state.woken) offer(state, task)
  state.woken.length = 0
}

/**
 * One more of its deliveries came to nothing: it waits, so that who only hands back cannot use up what waits. The pause is
 * the identity's, so that nobody leaves it behind by leaving.
 */
export function falter(state: DispatchState, workerId: WorkerId): void {
  const standing = standingOf(state, workerId)
  if (standing.failingUntilMs !== undefined) return
  standing.failures++
  const pauseMs = failingMs(standing.failures)
  if (pauseMs === 0) return
  const untilMs = (state.atMs + pauseMs) as TimeMs
  standing.failingUntilMs = untilMs
  state.failing.add(standing)
  state.failingUntilMs = Math.min(state.failingUntilMs ?? untilMs, untilMs) as TimeMs
  setFailing(state, workerId, true)
}

/** Those whose pause is over may have more. */
export function resume(state: DispatchState): void {
  if (state.failingUntilMs === undefined || state.failingUntilMs > state.atMs) return
  let nextMs = Number.POSITIVE_INFINITY
  for (const standing of state.failing) {
    const untilMs = standing.failingUntilMs ?? state.atMs
    if (untilMs > state.atMs) {
      nextMs = Math.min(nextMs, untilMs)
      continue
    }
    standing.failingUntilMs = undefined
    state.failing.delete(standing)
    setFailing(state, standing.workerId, false)
  }
  state.failingUntilMs = nextMs === Number.POSITIVE_INFINITY ? undefined : (nextMs as TimeMs)
}

function setFailing(state: DispatchState, workerId: WorkerId, failing: boolean): void {
  const worker = state.workers.get(workerId)
  if (worker === undefined) return
  worker.failing = failing
  touch(state, worker)
}

function pull(state: DispatchState, worker: Worker): void {
  if (state.mode === 'paused' || !isConnected(state, worker)) return
  while (unavailable(worker, state.policy) === undefined) {
    const task = nextFor(state, worker)
    if (task === undefined) return
    deliver(state, task, worker)
  }
}

/** A session that was replaced by another of the same worker is not. */
function isConnected({ workers }: DispatchState, worker: Worker): boolean {
  return workers.get(worker.workerId) === worker
}

/** Started tasks before fresh ones, whoever asked for them; among fresh ones the requester that had the least. */
function nextFor(state: DispatchState, worker: Worker): Task | undefined {
  const { policy } = state
  let best: ClassQueue<Task> | undefined
  let bestTime = Number.POSITIVE_INFINITY
  const fits = (task: Task): boolean => taskUnfitness(task, worker, policy) === undefined
  for (const taskClass of state.waitingClasses) {
    const { queue, replicas } = taskClass
    if (queue.size === 0) {
      state.waitingClasses.delete(taskClass)
      continue
    }
    if (classUnfitness(taskClass, worker) !== undefined) continue
    const started = queue.started.find(fits, startedLooksMax)
    if (started !== undefined) return started
    // More than it could look at: the sweep goes on from there.
    if (queue.started.size > startedLooksMax) armSweep(state)
    const time = queue.nextVirtualTime()
    if (time === undefined || time >= bestTime) continue
    if (roomUnfitness(taskClass, replicas, worker, policy) !== undefined) continue
    best = queue
    bestTime = time
  }
  return best?.nextFresh()
}

function armSweep(state: DispatchState): void {
  state.sweepLeft = state.workers.size
  state.sweepAtMs ??= (state.atMs + sweepPauseMs) as TimeMs
}

/** To the best of a few of the idle, as often as it wants somebody. */
function offer(state: DispatchState, task: Task): void {
  if (state.mode === 'paused') return
  while (task.wants > 0 && task.place !== 'none' && state.idle.length > 0) {
    const worker = bestIdle(state, task)
    if (worker === undefined) break
    deliver(state, task, worker)
    place(state, worker)
  }
  if (task.place !== 'none' && state.idle.length > candidatesMax) armSweep(state)
}

function bestIdle(state: DispatchState, task: Task): Worker | undefined {
  const { idle, policy } = state
  let best: Worker | undefined
  let bestScore = Number.POSITIVE_INFINITY
  const looks = Math.min(candidatesMax, idle.length)
  const from = idle.length > candidatesMax ? drawNumber(state) % idle.length : 0
  for (let index = 0; index < looks; index++) {
    const worker = idle[(from + index) % idle.length] as Worker
    if (classUnfitness(task.taskClass, worker) !== undefined) continue
    if (taskUnfitness(task, worker, policy) !== undefined) continue
    const score = scoreOf(state, task, worker)
    if (score >= bestScore) continue
    best = worker
    bestScore = score
  }
  return best
}

/**
 * The time until an answer that counts can be expected of the worker: its queue, its speed, its line, what it has to fetch
 * first; longer for one whose work has come to nothing of late. What it asks beyond others counts as time too.
 */
function scoreOf(state: DispatchState, task: Task, worker: Worker): number {
  const { region } = task.spec
  const { profile, busyMs, presence } = worker
  const failures = state.standings.get(worker.workerId)?.failures ?? 0
  const waitMs = busyMs / profile.slots + estimateMs(task.spec, worker, state.policy) + profile.latencyMs
  const away = region !== '' && region !== profile.region ? awayMs : 0
  const background = presence === 'hidden' ? hiddenMs : 0
  const chance = reputationOf(state, worker.workerId)
  const price = 1 + Number(profile.askMicroCredit) / (1 + Number(task.taskClass.pricePerGiga))
  return ((waitMs + away + background + 1) * (1 + failures) * price) / chance
}

const awayMs = 100
const hiddenMs = 50

function deliver(state: DispatchState, task: Task, worker: Worker): void {
  const { policy, atMs } = state
  const { spec } = task
  meet(state, worker)
  charge(state, task)
  const ownMs = estimateMs(spec, worker, policy)
  const deadlineMs = leaseEndMs(atMs, task, worker, ownMs, policy)
  const delivery = newDelivery(task, {
    deliveryId: deliveryIdOf(task, task.deliveries.length, state.epoch, state.sha256),
    workerId: worker.workerId,
    state: 'leased',
    leasedAtMs: atMs,
    deadlineMs,
    dueMs: deadlineMs,
    commitment: undefined,
    outputDigest: undefined,
    traceRoot: undefined,
    answer: undefined,
    outcome: undefined,
    rewardMicroCredit: 0n as MicroCredit,
    excused: false,
    operator: worker.profile.operator,
    hardwareClass: worker.profile.hardwareClass,
    answeredAtMs: undefined,
    proof: undefined,
    block: undefined,
  })
  delivery.estimateMs = ownMs
  delivery.expectedMs = ownMs + worker.busyMs / worker.profile.slots
  hold(worker, delivery)
  if (spec.constantBytes > 0) remember(worker, spec.programId)
  state.deliveries.set(delivery.deliveryId, delivery)
  task.status = 'running'
  task.wants--
  const { queue } = task.taskClass
  // A fresh task that still wants somebody is a started one from here on.
  const wasFresh = task.place === 'fresh'
  if (task.wants === 0 || wasFresh) queue.leave(task)
  if (task.wants > 0 && wasFresh) queue.addStarted(task)
  reschedule(state, task)
  record(state, task, 'delivered', { delivery })
  state.effects.push({ kind: 'deliver', task, delivery })
}

/** A requester pays in virtual time for every delivery of its tasks, tries that came to nothing among them. */
function charge(state: DispatchState, { spec, deliveries }: Task): void {
  const flow = flowOf(state, spec.requesterId)
  // Started tasks go first whatever their requester has had, so they say nothing about whose turn it is.
  if (deliveries.length === 0) state.virtualTime = Math.max(state.virtualTime, flow.virtualTime)
  flow.virtualTime += 1 + spec.complexity / 1e6
}

/** Keeps the list of the idle in step with what the worker can take. */
export function place(state: DispatchState, worker: Worker): void {
  const { idle } = state
  const isIdle = isConnected(state, worker) && unavailable(worker, state.policy) === undefined
  if (isIdle === worker.idleIndex >= 0) return
  if (isIdle) {
    worker.idleIndex = idle.push(worker) - 1
    return
  }
  const last = idle.pop() as Worker
  if (last !== worker) {
    idle[worker.idleIndex] = last
    last.idleIndex = worker.idleIndex
  }
  worker.idleIndex = -1
}

/** Some of the idle, in turn, look at everything that waits, until all have. */
export function sweep(state: DispatchState): void {
  const { idle } = state
  const count = Math.min(sweepMax, idle.length, state.sweepLeft)
  for (let index = 0; index < count; index++) {
    const worker = idle[(state.sweepFrom + index) % idle.length]
    if (worker !== undefined) state.freed.add(worker)
  }
  state.sweepFrom = idle.length === 0 ? 0 : (state.sweepFrom + count) % idle.length
  state.sweepLeft = Math.max(0, Math.min(state.sweepLeft, idle.length) - count)
  state.sweepAtMs = state.sweepLeft > 0 ? ((state.atMs + sweepPauseMs) as TimeMs) : undefined
}
