/**
 * Workers come, are measured anew, change their presence and go. What was out with one that goes is lost; what it answered
 * stays (D17).
 */
import type { InputOf } from './input.ts'
import { place, touch } from './matching.ts'
import { askForBenchmark } from './offence.ts'
import { ignore } from './reply.ts'
import { isShutOut } from './standing.ts'
import type { DispatchState } from './state.ts'
import { afterBenchmark } from './trust/index.ts'
import { fail } from './verdict.ts'
import { newWorker, setPresence, type Worker } from './worker.ts'

/** A worker that joins again replaces its earlier session, whose deliveries are lost. */
export function join(state: DispatchState, { workerId, publicKey, profile }: InputOf<'workerJoined'>): void {
  const earlier = state.workers.get(workerId)
  if (earlier !== undefined) drop(state, earlier)
  const standing = state.standings.get(workerId)
  const worker = newWorker(workerId, publicKey, profile, {
    quarantined: isShutOut(standing),
    failing: standing?.failingUntilMs !== undefined,
  })
  state.workers.set(workerId, worker)
  if (worker.quarantined) askForBenchmark(state, workerId)
  touch(state, worker)
}

/** Measured anew, by a benchmark that was done rather than claimed. */
export function benchmarked(
  state: DispatchState,
  { workerId, profile, askedAtMs }: InputOf<'benchmarked'>,
): void {
  const worker = state.workers.get(workerId)
  if (worker === undefined) return ignore(state, 'unknownWorker')
  const standing = state.standings.get(workerId)
  const isFresh = standing !== undefined && askedAtMs >= standing.conduct.lastOffenceAtMs
  if (standing?.conduct.quarantine !== undefined && isFresh) {
    standing.conduct = afterBenchmark(standing.conduct)
    state.unsavedStandings.add(standing)
  }
  worker.profile = profile
  worker.measuring = false
  worker.quarantined = isShutOut(standing)
  // This one was under way when it was convicted: it says nothing about what came after.
  if (worker.quarantined && !isFresh) askForBenchmark(state, workerId)
  setPresence(worker, worker.presence)
  touch(state, worker)
}

export function measure(state: DispatchState, { workerId, measuring }: InputOf<'measuring'>): void {
  const worker = state.workers.get(workerId)
  if (worker === undefined) return ignore(state, 'unknownWorker')
  worker.measuring = measuring
  touch(state, worker)
}

export function leave(state: DispatchState, { workerId }: InputOf<'workerLeft'>): void {
  const worker = state.workers.get(workerId)
  if (worker === undefined) ignore(state, 'unknownWorker')
  else drop(state, worker)
}

export function changePresence(state: DispatchState, input: InputOf<'presence'>): void {
  const worker = state.workers.get(input.workerId)
  if (worker === undefined) return ignore(state, 'unknownWorker')
  if (input.state === 'leaving') return drop(state, worker)
  setPresence(worker, input.state)
  touch(state, worker)
}

export function drainWorker(state: DispatchState, { workerId, draining }: InputOf<'drainWorker'>): void {
  const worker = state.workers.get(workerId)
  if (worker === undefined) return ignore(state, 'unknownWorker')
  worker.draining = draining
  touch(state, worker)
}

function drop(state: DispatchState, worker: Worker): void {
  state.workers.delete(worker.workerId)
  place(state, worker)
  // A loss may end its task, which settles nothing else of this worker: no task is with one worker twice.
  for (const { deliveryId } of [...worker.held]) {
    const delivery = state.deliveries.get(deliveryId)
    if (delivery !== undefined) fail(state, delivery, 'lost', 'the worker left')
  }
}
