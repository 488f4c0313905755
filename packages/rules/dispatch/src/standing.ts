/** What is remembered of workers over time (spec D28). It begins with a worker's first delivery. */
import type { MicroCredit, WorkerId } from '@shardy/protocol'
import type { Stake } from './input.ts'
import type { StandingRecord } from './record.ts'
import type { DispatchState, Standing } from './state.ts'
import {
  afterOutcome,
  newReputation,
  type Reputation,
  type ReputationOutcome,
  score,
  spotlessConduct,
} from './trust/index.ts'
import type { Worker } from './worker.ts'

export function meet(state: DispatchState, { workerId, publicKey }: Worker): Standing {
  const known = state.standings.get(workerId)
  if (known !== undefined) return known
  const standing = standingFrom({
    workerId,
    publicKey,
    firstSeenMs: state.atMs,
    acceptedCount: 0,
    disagreedCount: 0,
    wrongCount: 0,
    lostCount: 0,
    rejectedCount: 0,
    corruptedCount: 0,
    reputation: newReputation(state.atMs),
    conduct: spotlessConduct,
  })
  state.standings.set(workerId, standing)
  state.unsavedStandings.add(standing)
  return standing
}

const noStake: Stake = { lockedMicroCredit: 0n as MicroCredit, withdrawingMicroCredit: 0n as MicroCredit }

export function standingFrom(record: StandingRecord, stake = noStake): Standing {
  return { ...record, stake, exposureMicroCredit: 0n as MicroCredit, failures: 0, failingUntilMs: undefined }
}

export function count(state: DispatchState, workerId: WorkerId, what: ReputationOutcome | 'disagreed'): void {
  const standing = standingOf(state, workerId)
  if (standing[`${what}Count`] < Number.MAX_SAFE_INTEGER) standing[`${what}Count`]++
  if (what !== 'disagreed') {
    const { reputationHalfLifeMs } = state.policy
    const after = afterOutcome(inCounts(standing.reputation), what, state.atMs, reputationHalfLifeMs)
    standing.reputation = inMillionths(after)
  }
  state.unsavedStandings.add(standing)
}

/** Whoever had a delivery has a standing. */
export function standingOf(state: DispatchState, workerId: WorkerId): Standing {
  const standing = state.standings.get(workerId)
  if (standing === undefined) throw new Error(`no standing of ${workerId}`)
  return standing
}

/** From 0 to 1; who is new has a half. Order alone depends on it. */
export function reputationOf(state: DispatchState, workerId: WorkerId): number {
  const standing = state.standings.get(workerId)
  if (standing === undefined) return 1 / 2
  return score(inCounts(standing.reputation), state.atMs, state.policy.reputationHalfLifeMs)
}

/** Counts that decay have fractions; records hold whole numbers. */
function inMillionths(reputation: Reputation): Reputation {
  return scaled(reputation, (count) => Math.round(count * 1e6))
}

function inCounts(reputation: Reputation): Reputation {
  return scaled(reputation, (millionths) => millionths / 1e6)
}

function scaled(reputation: Reputation, scale: (count: number) => number): Reputation {
  const { accepted, wrong, lost, rejected, corrupted, updatedAtMs } = reputation
  return {
    accepted: scale(accepted),
    wrong: scale(wrong),
    lost: scale(lost),
    rejected: scale(rejected),
    corrupted: scale(corrupted),
    updatedAtMs,
  }
}

/** Gets nothing at all: banned, or in quarantine without a passed benchmark. */
export function isShutOut(standing: StandingRecord | undefined): boolean {
  if (standing === undefined) return false
  const { quarantine, isBanned } = standing.conduct
  return isBanned || quarantine?.passedBenchmark === false
}
