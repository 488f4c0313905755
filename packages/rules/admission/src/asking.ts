/** A chain asked for, and the time that its root may take (spec M6, M9). */
import type { Attempt, Candidate } from './candidate.ts'
import type { ChainPlan } from './plan.ts'
import { type AdmissionState, drawBenchmarkId } from './state.ts'

const withinMsMax = 600_000
/** A root may take this many times what is expected. */
const patience = 4

type Begun = Pick<Attempt, 'reason' | 'together'> & { readonly chains?: number; readonly tries?: number }

/** `rate`: what is known of its speed. */
export function begin(
  state: AdmissionState,
  candidate: Candidate,
  rate: number | undefined,
  { reason, together, chains = 1, tries = 1 }: Begun,
): void {
  const { workerId, likeness } = candidate
  const plan = state.plan(likeness, rate)
  const benchmarkId = drawBenchmarkId(state)
  const withinMs = withinMsOf(state, plan, rate, together?.size ?? 1)
  const attempt: Attempt = {
    reason,
    benchmarkId,
    plan,
    askedAtMs: state.atMs,
    together,
    rateBefore: rate,
    chains,
    tries,
    stage: 'computing',
    dueMs: state.atMs + withinMs,
    elapsedMs: 0,
    stableBytes: 0,
    isSpoiled: candidate.presence !== 'available',
  }
  candidate.phase = { kind: 'underway', attempt }
  state.underway.add(candidate)
  state.effects.push({ kind: 'ask', workerId, benchmarkId, plan, withinMs })
}

function withinMsOf(
  { policy }: AdmissionState,
  { chain, operations }: ChainPlan,
  rate: number | undefined,
  together: number,
): number {
  const least = chain === 'lite' ? policy.liteOperationsPerSecondMin : policy.tiers[0].operationsPerSecondMin
  const slowestMs = (operations * 1_000) / least
  const expectedMs =
    rate === undefined ? slowestMs : Math.min(slowestMs, (patience * together * operations * 1_000) / rate)
  return Math.min(withinMsMax, Math.ceil(expectedMs) + policy.slackMs)
}
