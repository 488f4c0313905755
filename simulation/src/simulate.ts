/** One seed, one run. A failing one is run again with its events kept: the same seed is the same run. */
import type { AdaptiveFigures } from './adaptiveTally.ts'
import type { Plant } from './plant.ts'
import { Violation } from './violation.ts'
import { type Counts, World } from './world.ts'

export interface Failure {
  readonly seed: number
  readonly step: number
  readonly invariant: string
  readonly detail: string
  readonly events: readonly string[]
}

export interface Outcome {
  readonly seed: number
  readonly steps: number
  readonly counts: Counts
  readonly adaptive: AdaptiveFigures
  readonly failure: Failure | undefined
}

export function simulate(seed: number, plant?: Plant, traces = false): Outcome {
  const world = new World(seed, plant?.open() ?? {}, traces)
  let failure: Failure | undefined
  try {
    world.run()
  } catch (error) {
    const isViolation = error instanceof Violation
    failure = {
      seed,
      step: world.schedule.steps,
      invariant: isViolation ? error.invariant : 'nothingThrows',
      detail: isViolation
        ? error.detail
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error),
      events: world.events,
    }
  }
  const { counts, schedule, oracle } = world
  return { seed, steps: schedule.steps, counts, adaptive: oracle.adaptive.figures(), failure }
}
