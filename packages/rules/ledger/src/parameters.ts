/** What a book is run with (spec L3): shares, delays and bounds. They are public, and have canonical bytes like every message. */
import { type DurationMs, field, type Infer, message, whole } from '@shardy/protocol'

const yearMs = 366 * 24 * 3_600_000
const delayMs = whole<DurationMs>(0, yearMs)

/** Amounts of one worker that wait, at most; each list has so many places. */
export const schedulePlacesMax = 512

export const bookParameters = message(
  'BookParameters',
  {
    /** What a task pays on top of its payouts. */
    feePermille: field(1, whole(0, 1000)),
    /** The share of every payout that vests before it is free. */
    vestingPermille: field(2, whole(0, 1000)),
    vestingMs: field(3, delayMs),
    /** How long stake stays within reach of a slash once it is asked back. */
    unstakeMs: field(4, delayMs),
    /** What is earned within one epoch is released together. */
    epochMs: field(5, whole<DurationMs>(1, yearMs)),
    /** How long a delivery id is remembered as paid or slashed. */
    guardMs: field(6, whole<DurationMs>(1, yearMs)),
    /** Ids are forgotten a bucket at a time. */
    guardBucketMs: field(7, whole<DurationMs>(1, yearMs)),
    /** More ids than these are not remembered: the oldest bucket goes early. 2^22 are seven minutes at 10,000 a second. */
    guardIdsMax: field(8, whole(16, 1 << 24)),
  },
  ({ vestingMs, unstakeMs, epochMs, guardMs, guardBucketMs }) => {
    if (Math.max(vestingMs, unstakeMs) / epochMs > schedulePlacesMax - 2) {
      return { field: 'epochMs', rule: `vestingMs and unstakeMs are at most ${schedulePlacesMax - 2} epochs` }
    }
    if (guardBucketMs > guardMs) return { field: 'guardBucketMs', rule: 'is at most guardMs' }
    return undefined
  },
)
export type BookParameters = Infer<typeof bookParameters>

const hourMs = 3_600_000

export const defaultParameters: BookParameters = {
  feePermille: 50,
  vestingPermille: 500,
  vestingMs: (7 * 24 * hourMs) as DurationMs,
  unstakeMs: (7 * 24 * hourMs) as DurationMs,
  epochMs: (24 * hourMs) as DurationMs,
  guardMs: (24 * hourMs) as DurationMs,
  guardBucketMs: (hourMs / 4) as DurationMs,
  guardIdsMax: 1 << 22,
}
