/**
 * A token bucket as a value: what is owed, and when that was so. Time comes in; nothing here looks at a clock.
 * What asks for more than the burst may go when nothing is owed, and owes the rest: a large request waits its turn
 * instead of never having one.
 */
export interface Limit {
  readonly perSecond: number
  /** What may be taken at once. */
  readonly burst: number
}

export interface Bucket {
  readonly owed: number
  readonly atMs: number
}

/** Room for the rounding of sums; far below one token. */
const slack = 1e-6

/** A clock that went back neither pays anything off nor adds to it. */
export function owedAt(bucket: Bucket | undefined, { perSecond }: Limit, nowMs: number): number {
  if (bucket === undefined) return 0
  const paid = (Math.max(0, nowMs - bucket.atMs) * perSecond) / 1000
  return Math.max(0, bucket.owed - paid)
}

/** How long until `amount` may be taken; 0 when it may be now. */
export function waitMs(bucket: Bucket | undefined, limit: Limit, nowMs: number, amount: number): number {
  const tooMuch = owedAt(bucket, limit, nowMs) + Math.min(amount, limit.burst) - limit.burst
  return tooMuch <= slack ? 0 : Math.ceil(((tooMuch - slack) * 1000) / limit.perSecond)
}

export function spend(bucket: Bucket | undefined, limit: Limit, nowMs: number, amount: number): Bucket {
  return { owed: Math.max(0, owedAt(bucket, limit, nowMs) + amount), atMs: nowMs }
}
