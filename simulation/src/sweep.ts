/** Many seeds, and what they say together: how many failed, and whether the bound of `adaptive` holds over all of them. */
import type { AdaptiveFigures } from './adaptiveTally.ts'
import type { Plant } from './plant.ts'
import { type Failure, type Outcome, simulate } from './simulate.ts'
import type { Counts } from './world.ts'

export interface Sweep {
  readonly seeds: number
  readonly failures: readonly Failure[]
  readonly counts: Counts
  readonly steps: number
  readonly adaptive: AdaptiveFigures
  /** By how many standard deviations the accepted bad value lies above its bound: a chance finding below `sigmasMax`. */
  readonly adaptiveSigmas: number
}

/** One sweep in thirty thousand would exceed it by chance if the bound were met exactly. */
export const sigmasMax = 4

export function sweep(firstSeed: number, lastSeed: number, tells?: (outcome: Outcome) => void): Sweep {
  const failures: Failure[] = []
  const counts: Counts = { tasks: 0, faults: 0, crashes: 0, verified: 0, accepted: 0, dead: 0, cancelled: 0 }
  const adaptive = { accepted: 0, audited: 0, excess: 0, variance: 0 }
  let steps = 0
  for (let seed = firstSeed; seed <= lastSeed; seed++) {
    const outcome = simulate(seed)
    steps += outcome.steps
    add(counts, outcome.counts)
    add(adaptive, outcome.adaptive)
    if (outcome.failure !== undefined) failures.push(outcome.failure)
    tells?.(outcome)
  }
  const adaptiveSigmas = adaptive.variance === 0 ? 0 : adaptive.excess / Math.sqrt(adaptive.variance)
  return { seeds: lastSeed - firstSeed + 1, failures, counts, steps, adaptive, adaptiveSigmas }
}

function add<Key extends string>(sums: Record<Key, number>, more: Readonly<Record<Key, number>>): void {
  for (const key of Object.keys(sums) as Key[]) sums[key] += more[key]
}

export interface Search {
  readonly plant: Plant
  readonly seeds: number
  readonly found: number
  /** The first that found it. */
  readonly first: Failure | undefined
}

/** How many of the seeds find a planted bug. */
export function search(plant: Plant, firstSeed: number, lastSeed: number, stopsAtFirst: boolean): Search {
  let found = 0
  let first: Failure | undefined
  let seed = firstSeed
  for (; seed <= lastSeed; seed++) {
    const { failure } = simulate(seed, plant)
    if (failure === undefined) continue
    found++
    first ??= failure
    if (stopsAtFirst) break
  }
  return { plant, seeds: Math.min(seed, lastSeed) - firstSeed + 1, found, first }
}
