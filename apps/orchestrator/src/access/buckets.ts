/**
 * The buckets of one limit, one for each that was seen lately. Memory is bounded: a bucket that owes nothing is the
 * same as none, and when there are too many the half that owes least is forgotten.
 */
import { type Bucket, type Limit, owedAt, spend, waitMs } from './bucket.ts'

export interface Buckets {
  /** 0 when it was taken; otherwise nothing was, and so long is to be waited. */
  take(who: string, nowMs: number, amount: number): number
  /** Takes what has happened already, even beyond the burst. */
  charge(who: string, nowMs: number, amount: number): void
  size(): number
}

export function createBuckets(limit: Limit, bucketsMax: number): Buckets {
  const known = new Map<string, Bucket>()

  /** The half that owes least. Seldom, and all at once: a look at each newcomer would cost every one of them. */
  function forgetHalf(nowMs: number): void {
    const owing = [...known].map(([who, bucket]) => ({ who, owed: owedAt(bucket, limit, nowMs) }))
    owing.sort((left, right) => left.owed - right.owed)
    for (const { who } of owing.slice(0, Math.ceil(owing.length / 2))) known.delete(who)
  }

  function put(who: string, bucket: Bucket): void {
    known.set(who, bucket)
    if (known.size > bucketsMax) forgetHalf(bucket.atMs)
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
