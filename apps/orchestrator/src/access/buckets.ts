/**
 * The buckets of one limit, one for each that was seen lately. Memory is bounded: a bucket that owes nothing is the
 * same as none, and when too many owe something the one of a few old ones that owes least is forgotten.
 */
import { type Bucket, type Limit, owedAt, spend, waitMs } from './bucket.ts'

export interface Buckets {
  /** 0 when it was taken; otherwise nothing was, and so long is to be waited. */
  take(who: string, nowMs: number, amount: number): number
  /** Takes what has happened already, even beyond the burst. */
  charge(who: string, nowMs: number, amount: number): void
  size(): number
}

/** Looked at for each one that is too many. */
const lookedAt = 16

export function createBuckets(limit: Limit, bucketsMax: number): Buckets {
  const known = new Map<string, Bucket>()

  function forgetOne(nowMs: number): void {
    let least: string | undefined
    let leastOwed = Number.POSITIVE_INFINITY
    let looked = 0
    for (const [who, bucket] of known) {
      const owed = owedAt(bucket, limit, nowMs)
      if (owed < leastOwed) {
        least = who
        leastOwed = owed
      }
      if (owed === 0 || ++looked === lookedAt) break
    }
    if (least !== undefined) known.delete(least)
  }

  function put(who: string, bucket: Bucket): void {
    known.set(who, bucket)
    if (known.size > bucketsMax) forgetOne(bucket.atMs)
  }

  return {
    take(who, nowMs, amount) {
      const bucket = known.get(who)
      const wait = waitMs(bucket, limit, nowMs, amount)
      if (wait === 0) put(who, spend(bucket, limit, nowMs, amount))
      return wait
    },
    charge: (who, nowMs, amount) => put(who, spend(known.get(who), limit, nowMs, amount)),
    size: () => known.size,
  }
}
