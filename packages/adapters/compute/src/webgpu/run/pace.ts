/**
 * How much work a slice takes, so that it lasts for some tens of milliseconds. Devices differ by a factor of ten thousand,
 * and products, entries and series run at rates of their own, so each is learned from slice to slice.
 */
import { type Pace, paces } from '../plan/step.ts'

const sliceMsMin = 20
const sliceMsMax = 80
/** A slice this short says that the next may be many times as long. */
const sliceMsTiny = 2

const first: Readonly<Record<Pace, number>> = { product: 2 ** 26, entry: 2 ** 24, series: 2 ** 16 }
const least: Readonly<Record<Pace, number>> = { product: 2 ** 24, entry: 2 ** 20, series: 2 ** 12 }
/** Beyond this a slice would hold any program's work. */
const most = 2 ** 46

/** The part of a slice that each pace took, 1 being all of it. */
export type Shares = Readonly<Record<Pace, number>>

export interface Paces {
  /** Work of this pace that fills one slice. */
  workOf(pace: Pace): number
  /** What a slice with these shares took. */
  learn(tookMs: number, shares: Shares): void
}

export function createPaces(): Paces {
  const work: Record<Pace, number> = { ...first }
  return {
    workOf: (pace) => work[pace],
    learn(tookMs, shares) {
      const total = paces.reduce((sum, pace) => sum + shares[pace], 0)
      const isFull = total > 0.5
      for (const pace of paces) {
        // What took little part in a slice is not to blame for its time.
        if (shares[pace] < 0.25 * total) continue
        if (tookMs > sliceMsMax) work[pace] = Math.max(least[pace], work[pace] / 2)
        if (tookMs < sliceMsMin && isFull) {
          work[pace] = Math.min(most, work[pace] * (tookMs < sliceMsTiny ? 8 : 2))
        }
      }
    },
  }
}
