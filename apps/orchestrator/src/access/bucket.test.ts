import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Bucket, type Limit, owedAt, spend, waitMs } from './bucket.ts'
import { createBuckets } from './buckets.ts'

const limit: Limit = { perSecond: 10, burst: 20 }

describe('a bucket', () => {
  const table: readonly {
    readonly desc: string
    readonly bucket: Bucket | undefined
    readonly nowMs: number
    readonly amount: number
    readonly wait: number
  }[] = [
    { desc: 'that is new gives the burst', bucket: undefined, nowMs: 0, amount: 20, wait: 0 },
    { desc: 'that is empty gives nothing', bucket: { owed: 20, atMs: 0 }, nowMs: 0, amount: 1, wait: 100 },
    { desc: 'fills with time', bucket: { owed: 20, atMs: 0 }, nowMs: 99, amount: 1, wait: 1 },
    {
      desc: 'is worth it once so much time has passed',
      bucket: { owed: 20, atMs: 0 },
      nowMs: 100,
      amount: 1,
      wait: 0,
    },
    {
      desc: 'gives no more than the burst, however long',
      bucket: { owed: 0, atMs: 0 },
      nowMs: 1e9,
      amount: 20,
      wait: 0,
    },
    {
      desc: 'lets more than the burst go when nothing is owed',
      bucket: undefined,
      nowMs: 0,
      amount: 500,
      wait: 0,
    },
    { desc: 'and not before', bucket: { owed: 1, atMs: 0 }, nowMs: 0, amount: 500, wait: 100 },
    {
      desc: 'owes for what was more than the burst',
      bucket: { owed: 500, atMs: 0 },
      nowMs: 0,
      amount: 1,
      wait: 48_100,
    },
    {
      desc: 'stands still while the clock goes back',
      bucket: { owed: 20, atMs: 5_000 },
      nowMs: 0,
      amount: 1,
      wait: 100,
    },
  ]
  for (const { desc, bucket, nowMs, amount, wait } of table) {
    test(desc, () => expect(waitMs(bucket, limit, nowMs, amount)).toBe(wait))
  }

  const limits = fc.record({
    perSecond: fc.integer({ min: 1, max: 1_000_000_000 }),
    burst: fc.integer({ min: 1, max: 1_000_000_000 }),
  })
  const asks = fc.array(
    fc.record({ afterMs: fc.nat(5_000), amount: fc.integer({ min: 1, max: 1_000_000 }) }),
    {
      maxLength: 50,
    },
  )

  test('never gives more in a time than the burst, what came back, and one that was over', () => {
    fc.assert(
      fc.property(limits, asks, (each, steps) => {
        let bucket: Bucket | undefined
        let nowMs = 0
        let given = 0
        for (const { afterMs, amount } of steps) {
          nowMs += afterMs
          if (waitMs(bucket, each, nowMs, amount) > 0) continue
          bucket = spend(bucket, each, nowMs, amount)
          given += amount
          const over = Math.max(0, amount - each.burst)
          expect(given).toBeLessThanOrEqual(each.burst + over + (nowMs * each.perSecond) / 1000 + 1e-3)
        }
      }),
    )
  })

  test('keeps the word that it gave: after the wait, and no millisecond earlier, it gives', () => {
    fc.assert(
      fc.property(
        limits,
        fc.integer({ min: 1, max: 1e9 }),
        fc.integer({ min: 1, max: 1e9 }),
        (each, owed, amount) => {
          const bucket = { owed, atMs: 1_760_000_000_000 }
          const wait = waitMs(bucket, each, bucket.atMs, amount)
          expect(waitMs(bucket, each, bucket.atMs + wait, amount)).toBe(0)
          if (wait > 1) expect(waitMs(bucket, each, bucket.atMs + wait - 1, amount)).toBeGreaterThan(0)
        },
      ),
    )
  })
})

describe('buckets', () => {
  test('are one for each, and a refusal takes nothing', () => {
    const buckets = createBuckets(limit, 10)
    expect(buckets.take('a', 0, 20)).toBe(0)
    expect([buckets.take('a', 0, 1), buckets.take('a', 0, 1)]).toEqual([100, 100])
    expect(buckets.take('b', 0, 20)).toBe(0)
    expect(buckets.take('a', 100, 1)).toBe(0)
  })

  test('are never more than their bound, and forget those that owe least', () => {
    const buckets = createBuckets(limit, 8)
    buckets.charge('owes', 0, 1_000)
    for (let index = 0; index < 10_000; index++) {
      buckets.take(`address ${index}`, index, 1)
      expect(buckets.size()).toBeLessThanOrEqual(8)
    }
    expect(buckets.take('owes', 10_000, 1)).toBeGreaterThan(0)
  })

  test('that owe nothing go before one that owes, whoever came first', () => {
    const buckets = createBuckets({ perSecond: 1000, burst: 10 }, 2)
    buckets.charge('deep', 0, 1e6)
    buckets.take('paid', 0, 1)
    buckets.take('new', 1_000, 1)
    expect(buckets.take('deep', 1_000, 1)).toBeGreaterThan(0)
    expect(owedAt({ owed: 1, atMs: 0 }, { perSecond: 1000, burst: 10 }, 1_000)).toBe(0)
  })
})
