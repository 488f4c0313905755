/** How fast a campaign's items get results: over the last minute, because what was earlier says little about what comes. */
import type { Clock } from '../clock.ts'

export interface Pace {
  /** Called after each step. */
  look(): void
  /** Undefined until something can be said. */
  perSecond(): number | undefined
}

const spanMs = 60_000
const everyMs = 1_000

export function createPace(settled: () => number, clock: Pick<Clock, 'nowMs'>): Pace {
  const samples: { readonly atMs: number; readonly settled: number }[] = []

  function look(): void {
    const atMs = clock.nowMs()
    if (atMs - (samples.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) < everyMs) return
    samples.push({ atMs, settled: settled() })
    // One that is older stays as where the span begins.
    while ((samples[1]?.atMs ?? atMs) < atMs - spanMs) samples.shift()
  }

  return {
    look,
    perSecond() {
      const [first] = samples
      const passedMs = first === undefined ? 0 : clock.nowMs() - first.atMs
      return first === undefined || passedMs < everyMs
        ? undefined
        : ((settled() - first.settled) * 1000) / passedMs
    },
  }
}
