/**
 * Light operations in steps: after each a host may serve others, and whoever waits may change their mind. The loops
 * themselves are plain functions over a range, which engines compile better than the bodies of generators.
 */
import type { Entries } from '@shardy/tensor'

/** At every pause the part done, 0 to 1; the entries at the end. */
export type Steps = Generator<number, Entries, void>

/** Entries, or as much work, from one pause to the next: about a millisecond of it, and less than a turn where it is slow. */
export const stepWork = 2 ** 17

/** Counts work and says when a pause is due. */
export interface Pace {
  spend(work: number): boolean
  part(): number
}

export function openPace(total: number): Pace {
  let done = 0
  let next = stepWork
  return {
    spend(work) {
      done += work
      if (done < next) return false
      next = done + stepWork
      return true
    },
    part: () => Math.min(1, done / total),
  }
}

/** Runs `each` over the range 0 to `total`, in pieces of a step's work where one of them takes `work`. */
export function* inSteps(
  total: number,
  each: (start: number, end: number) => void,
  work = 1,
): Generator<number, void, void> {
  const size = Math.max(1, Math.floor(stepWork / work))
  for (let start = 0; start < total; start += size) {
    const end = Math.min(total, start + size)
    each(start, end)
    if (end < total) yield end / total
  }
}

/** Work that is one stretch of a longer one, `from` one part of it `to` another. */
export function* stretch<T>(
  work: Generator<number, T, void>,
  from: number,
  to: number,
): Generator<number, T, void> {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    yield from + step.value * (to - from)
  }
}
