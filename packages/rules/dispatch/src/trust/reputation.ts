/**
 * How a worker has done lately (spec A24–A26): counts that halve with time. It orders workers when tasks are matched;
 * nothing is taken from anyone because of it, and no audit is spared. Only + − * / are used, so that every engine gets
 * the same bits.
 */
import type { DurationMs, TimeMs } from '@shardy/protocol'

export interface Reputation {
  readonly accepted: number
  readonly wrong: number
  readonly lost: number
  readonly rejected: number
  readonly corrupted: number
  /** The counts are as of then. */
  readonly updatedAtMs: TimeMs
}

export type ReputationOutcome = Exclude<keyof Reputation, 'updatedAtMs'>

export function newReputation(atMs: TimeMs): Reputation {
  return { accepted: 0, wrong: 0, lost: 0, rejected: 0, corrupted: 0, updatedAtMs: atMs }
}

/** A clock that went back decays nothing. */
export function afterOutcome(
  reputation: Reputation,
  outcome: ReputationOutcome,
  atMs: TimeMs,
  halfLifeMs: DurationMs,
): Reputation {
  const { updatedAtMs } = reputation
  const left = decay(atMs - updatedAtMs, halfLifeMs)
  return {
    accepted: reputation.accepted * left + (outcome === 'accepted' ? 1 : 0),
    wrong: reputation.wrong * left + (outcome === 'wrong' ? 1 : 0),
    lost: reputation.lost * left + (outcome === 'lost' ? 1 : 0),
    rejected: reputation.rejected * left + (outcome === 'rejected' ? 1 : 0),
    corrupted: reputation.corrupted * left + (outcome === 'corrupted' ? 1 : 0),
    updatedAtMs: atMs > updatedAtMs ? atMs : updatedAtMs,
  }
}

/** A wrong answer costs a task its trust; a lost or a broken one only time. */
const wrongWeight = 20
const corruptedWeight = 2
/** Counted for and against everybody, so that who is new is in the middle. */
const prior = 1

/** From 0 to 1. Who has done nothing, or nothing lately, has ½. */
export function score(reputation: Reputation, atMs: TimeMs, halfLifeMs: DurationMs): number {
  const left = decay(atMs - reputation.updatedAtMs, halfLifeMs)
  const good = reputation.accepted * left + prior
  const bad =
    (reputation.wrong * wrongWeight +
      reputation.corrupted * corruptedWeight +
      reputation.lost +
      reputation.rejected) *
      left +
    prior
  return good / (good + bad)
}

const ln2 = Math.LN2

/** 2^(−elapsed / half-life): whole half-lives exactly, the rest by a series that is right to 2·10⁻⁵. */
function decay(elapsedMs: number, halfLifeMs: DurationMs): number {
  if (elapsedMs <= 0) return 1
  const halfLives = elapsedMs / halfLifeMs
  if (halfLives >= 64) return 0
  const whole = Math.floor(halfLives)
  const x = (halfLives - whole) * ln2
  let left = 1 - x * (1 - (x / 2) * (1 - (x / 3) * (1 - (x / 4) * (1 - (x / 5) * (1 - x / 6)))))
  for (let index = 0; index < whole; index++) left /= 2
  return left
}
