/** One measurement: chains that grow until one takes long enough, cells of the last, their verdict (spec M6 to M12). */
import type { WorkerId } from '@shardy/protocol'
import { begin } from './asking.ts'
import type { Attempt, Candidate } from './candidate.ts'
import { conclude } from './comparison.ts'
import type { Effect } from './effect.ts'
import type { InputOf, Verdict } from './input.ts'
import { refuse } from './leaving.ts'
import type { Measurement } from './measurement.ts'
import type { ChainPlan } from './plan.ts'
import { computingMs, rateOf } from './rate.ts'
import type { AdmissionState } from './state.ts'
import { tierOf } from './tier.ts'
import { advanceDue, becomeDue, fill, knownRate, scheduleRound } from './waiting.ts'

/** Late frames of one worker; who sends more is not late. */
const straysMax = 64
const spoiledMax = 2

/** The attempt that the frame is about; undefined, and said so, when that is over. */
function currentOf(
  state: AdmissionState,
  { workerId, benchmarkId }: { readonly workerId: WorkerId; readonly benchmarkId: string },
  stage: Attempt['stage'],
): { readonly candidate: Candidate; readonly attempt: Attempt } | undefined {
  const candidate = state.workers.get(workerId)
  if (candidate === undefined) {
    state.effects.push({ kind: 'ignored', reason: 'unknownWorker' })
    return undefined
  }
  const { phase } = candidate
  if (
    phase.kind === 'underway' &&
    phase.attempt.benchmarkId === benchmarkId &&
    phase.attempt.stage === stage
  ) {
    return { candidate, attempt: phase.attempt }
  }
  state.effects.push({ kind: 'ignored', reason: 'late' })
  if (stage !== 'judging' && ++candidate.strays > straysMax) {
    refuse(
      state,
      candidate,
      'unexpectedFrame',
      `more than ${straysMax} frames about benchmarks that nobody asked for`,
    )
  }
  return undefined
}

export function takeRoot(state: AdmissionState, input: InputOf<'root'>): void {
  const current = currentOf(state, input, 'computing')
  if (current === undefined) return
  const { candidate, attempt } = current
  const { policy } = state
  const elapsedMs = state.atMs - attempt.askedAtMs
  const tookMs = computingMs(elapsedMs, candidate.roundTripMs, policy)
  const rate = rateOf(attempt.plan.operations, tookMs)
  if (
    attempt.together === undefined &&
    attempt.chains < policy.chainsMax &&
    !tellsEnough(state, attempt, tookMs, rate)
  ) {
    begin(state, candidate, rate, { ...attempt, chains: attempt.chains + 1 })
    return
  }
  attempt.elapsedMs = elapsedMs
  attempt.stableBytes = input.stableBytes
  attempt.stage = 'opening'
  attempt.dueMs = state.atMs + policy.slackMs
  const cells = candidate.likeness.chain === 'lite' ? policy.liteOpenings : policy.productOpenings
  state.effects.push({
    kind: 'open',
    workerId: candidate.workerId,
    benchmarkId: attempt.benchmarkId,
    cells,
  })
}

/** The first run of a size pays for compiling, and small ones do not fill a device: the next must not be much faster. */
function tellsEnough(
  { policy }: AdmissionState,
  { rateBefore }: Attempt,
  tookMs: number,
  rate: number,
): boolean {
  if (tookMs >= patientlyMs(policy.targetMs)) return true
  return tookMs >= policy.enoughMs && rateBefore !== undefined && 2 * rate <= 3 * rateBefore
}

/** A chain that took so much longer than it was meant to is not repeated. */
const patientlyMs = (targetMs: number): number => 4 * targetMs

export function takeOpenings(state: AdmissionState, input: InputOf<'opened'>): void {
  const current = currentOf(state, input, 'opening')
  if (current === undefined) return
  const { candidate, attempt } = current
  candidate.roundTripMs = Math.min(candidate.roundTripMs, input.roundTripMs)
  attempt.stage = 'judging'
  attempt.dueMs = undefined
  const { benchmarkId } = attempt
  state.effects.push({ kind: 'judge', workerId: candidate.workerId, benchmarkId })
}

export function takeVerdict(state: AdmissionState, input: InputOf<'judged'>): void {
  const current = currentOf(state, input, 'judging')
  if (current === undefined) return
  const { candidate, attempt } = current
  const { verdict } = input
  if (verdict.kind === 'right') return measured(state, candidate, attempt)
  if (verdict.kind === 'unknown' && attempt.tries < state.policy.triesMax)
    return retry(state, candidate, attempt)
  refuse(state, candidate, 'benchmarkFailed', failureOf(verdict))
}

function failureOf(verdict: Exclude<Verdict, { readonly kind: 'right' }>): string {
  return verdict.kind === 'wrong'
    ? `the benchmark's openings do not hold: ${verdict.reason}`
    : `the benchmark could not be checked here: ${verdict.reason}`
}

function retry(state: AdmissionState, candidate: Candidate, attempt: Attempt): void {
  const { reason, tries } = attempt
  const rate = knownRate(candidate)
  begin(state, candidate, rate, { reason, together: undefined, tries: tries + 1 })
}

function measured(state: AdmissionState, candidate: Candidate, attempt: Attempt): void {
  const { policy } = state
  const { workerId, likeness, roundTripMs } = candidate
  state.underway.delete(candidate)
  if (candidate.measurement !== undefined && isVoid(state, candidate, attempt)) return fill(state)
  const ms = computingMs(attempt.elapsedMs, roundTripMs, policy)
  const shown = conclude(state, candidate, rateOf(attempt.plan.operations, ms), attempt.together)
  const { stableBytes, reason } = attempt
  const tiered = tierOf(likeness.chain, shown.operationsPerSecond, stableBytes, policy)
  if (!tiered.ok) {
    const words = { operationsPerSecond: 'operations a second', stableBytes: 'bytes of steady memory' }
    const { field, measured: value, bound } = tiered
    return refuse(
      state,
      candidate,
      'belowMinimum',
      `measured ${value} ${words[field]}, the least is ${bound}`,
    )
  }
  const measurement: Measurement = {
    chain: likeness.chain,
    tier: tiered.tier,
    ...shown,
    stableBytes,
    roundTripMs,
    measuredAtMs: state.atMs,
    reason,
  }
  const isFirst = candidate.measurement === undefined
  candidate.measurement = measurement
  candidate.phase = { kind: 'idle' }
  candidate.spoiled = 0
  if (isFirst) state.admitted++
  const effect: Effect = { kind: isFirst ? 'admit' : 'remeasured', workerId, measurement }
  state.effects.push(effect)
  if (isFirst) {
    scheduleRound(state)
    // Shown in a hidden tab it is not its speed yet.
    if (attempt.isSpoiled) becomeDue(state, candidate, 'profile', state.atMs + policy.pauseMs)
  }
  fill(state)
}

/** It was hidden meanwhile, or is wanted for a reason that came up after the chain had begun. */
function isVoid(state: AdmissionState, candidate: Candidate, attempt: Attempt): boolean {
  const { again } = candidate
  candidate.again = undefined
  if (attempt.isSpoiled && candidate.spoiled < spoiledMax) {
    candidate.spoiled++
    becomeDue(state, candidate, again ?? attempt.reason, state.atMs + state.policy.pauseMs)
    state.effects.push({ kind: 'release', workerId: candidate.workerId })
    return true
  }
  if (again === undefined) return false
  becomeDue(state, candidate, again, state.atMs)
  advanceDue(state, candidate)
  return true
}

/** What is not here in time. Who was admitted once may try again. */
export function expire(state: AdmissionState): void {
  for (const candidate of [...state.underway]) {
    if (candidate.phase.kind !== 'underway') continue
    const { attempt } = candidate.phase
    const { dueMs, askedAtMs, plan, stage } = attempt
    if (dueMs === undefined || dueMs > state.atMs) continue
    if (candidate.measurement !== undefined && attempt.tries < state.policy.triesMax) {
      retry(state, candidate, attempt)
      continue
    }
    const what =
      stage === 'computing' ? `no root of ${plan.operations} operations` : 'no opening of all cells'
    refuse(
      state,
      candidate,
      'benchmarkFailed',
      `${what} within ${dueMs - askedAtMs} ms; ${leastOf(state, plan)}`,
    )
  }
}

function leastOf({ policy }: AdmissionState, { chain }: ChainPlan): string {
  const least = chain === 'lite' ? policy.liteOperationsPerSecondMin : policy.tiers[0].operationsPerSecondMin
  return `the least is ${least} operations a second`
}
