/**
 * A figure of this benchmark, which may be missing for a reason, and how rounds become figures: candidates alternate,
 * so that a busy moment of the machine falls on all of them, and the median counts.
 */
import type { Figures, Measured, Progress } from '../run.ts'

export interface Figure {
  readonly name: string
  /** Null is never a measurement: `why` then says what was in the way. */
  readonly value: number | null
  readonly unit: string
  /** Why there is no value, or what one must know about the one there is. */
  readonly why?: string
}

/** Thrown by a candidate that cannot be measured here, and not for lack of trying: `notInstalled: …`. */
export class NotMeasured extends Error {
  override name = 'NotMeasured'
}

export interface Reading {
  readonly value: number
  readonly why?: string
}

export interface Candidate {
  readonly name: string
  readonly unit: string
  readonly measure: () => Promise<Reading>
}

/** A candidate that was not measured once is not tried again; anything else that it throws ends the benchmark. */
export async function mediansOf(
  candidates: readonly Candidate[],
  { rounds, progress }: { readonly rounds: number; readonly progress: Progress },
): Promise<readonly Figure[]> {
  const readings = new Map<string, Reading[]>(candidates.map(({ name }) => [name, []]))
  const reasons = new Map<string, string>()
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, measure } of candidates) {
      if (reasons.has(name)) continue
      progress(`round ${round} of ${rounds}: ${name}`)
      try {
        readings.get(name)?.push(await measure())
      } catch (error) {
        if (!(error instanceof NotMeasured)) throw error
        reasons.set(name, error.message)
        progress(`${name}: ${error.message}`)
      }
    }
  }
  return candidates.map(({ name, unit }) => {
    const reason = reasons.get(name)
    if (reason !== undefined) return { name, value: null, unit, why: reason }
    const taken = readings.get(name) ?? []
    const values = taken.map((reading) => reading.value)
    const known = taken.find((reading) => reading.why !== undefined)?.why
    const why = [...(known === undefined ? [] : [known]), spreadOf(values)].join('; ')
    return { name, value: median(values), unit, why }
  })
}

/** A median of rounds that lie far apart says little, and the reader should see that. */
function spreadOf(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)].map((value) => value.toPrecision(4))
  return `rounds from ${Number(least)} to ${Number(most)}`
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const upper = sorted[sorted.length >> 1]
  if (upper === undefined) throw new Error('there is no median of no values')
  const lower = sorted[(sorted.length - 1) >> 1] ?? upper
  return (lower + upper) / 2
}

/** As the harness wants them: names carry their units, and reasons stand beside. */
export function measuredOf(figures: readonly Figure[], peers: readonly Figure[]): Measured {
  const values = (list: readonly Figure[]): Figures =>
    Object.fromEntries(list.map(({ name, value }) => [name, value]))
  const why = Object.fromEntries(
    [...figures, ...peers].flatMap((figure) => (figure.why === undefined ? [] : [[figure.name, figure.why]])),
  )
  return { figures: values(figures), peers: values(peers), why }
}
