/** The guard against a plain model: a list of ids, each with its bucket. */
import { describe, expect, test } from 'bun:test'
import type { DeliveryId } from '@shardy/protocol'
import fc from 'fast-check'
import { deliveryIdOf } from '../test/scene.ts'
import { createGuard } from './guard.ts'

const terms = { guardMs: 100, guardBucketMs: 10, guardIdsMax: 32 }
const idOf = (index: number) => deliveryIdOf(`${index}`)

/** Ids that all begin their search in the table at the same slot, so that clusters form and close again. */
const crowdedIdOf = (index: number) =>
  `${'0'.repeat(16)}${index.toString(16).padStart(16, '0')}` as DeliveryId

interface ModelBucket {
  fromMs: number
  untilMs: number
  ids: DeliveryId[]
}

function createModel() {
  const buckets: ModelBucket[] = []
  const size = () => buckets.reduce((sum, { ids }) => sum + ids.length, 0)
  return {
    buckets,
    has: (id: DeliveryId, atMs: number) =>
      buckets.some(({ ids, untilMs }) => untilMs > atMs && ids.includes(id)),
    add(id: DeliveryId, atMs: number) {
      const fromMs = Math.floor(atMs / 10) * 10
      let last = buckets.at(-1)
      // A sixteenth of 32 ids.
      if (last === undefined || last.fromMs !== fromMs || last.ids.length === 2) {
        last = { fromMs, untilMs: fromMs + 110, ids: [] }
        buckets.push(last)
      }
      if (size() >= 32) buckets.shift()
      last.ids.push(id)
    },
    expire(atMs: number) {
      while ((buckets[0]?.untilMs ?? Number.POSITIVE_INFINITY) <= atMs) buckets.shift()
    },
  }
}

describe('the guard', () => {
  for (const [desc, nameOf] of [
    ['spread ids', idOf],
    ['ids that crowd', crowdedIdOf],
  ] as const) {
    test(`remembers what a list would: ${desc}`, () => {
      const action = fc.record({
        id: fc.nat(60),
        afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 })),
      })
      fc.assert(
        fc.property(fc.array(action, { maxLength: 400, size: 'max' }), (actions) => {
          const guard = createGuard(terms)
          const model = createModel()
          let atMs = 0
          for (const { id, afterMs } of actions) {
            atMs += afterMs
            if (guard.has(nameOf(id), atMs) !== model.has(nameOf(id), atMs))
              throw new Error(`id ${id} at ${atMs}`)
            guard.expire(atMs)
            model.expire(atMs)
            if (!model.has(nameOf(id), atMs)) {
              guard.add(nameOf(id), atMs)
              model.add(nameOf(id), atMs)
            }
          }
          for (let id = 0; id <= 60; id++)
            expect(guard.has(nameOf(id), atMs)).toBe(model.has(nameOf(id), atMs))
          expect(guard.buckets.map(({ first, end }) => end - first)).toEqual(
            model.buckets.map(({ ids }) => ids.length),
          )
        }),
        { numRuns: 60 },
      )
    })
  }

  test('grows, forgets and goes round its ring, and loses nobody on the way', () => {
    const guard = createGuard({ guardMs: 1000, guardBucketMs: 10, guardIdsMax: 1 << 14 })
    for (let index = 0; index < 20_000; index++) {
      const atMs = index
      guard.expire(atMs)
      guard.add(idOf(index), atMs)
      if (index % 97 !== 0) continue
      expect(guard.has(idOf(Math.max(0, index - 1000)), atMs)).toBe(true)
      expect(guard.has(idOf(index - 1011), atMs)).toBe(false)
    }
    expect(guard.buckets.length).toBeLessThanOrEqual(102)
  })

  test('is bounded: the oldest part goes when it is full', () => {
    const guard = createGuard({ ...terms, guardIdsMax: 1600 })
    for (let index = 0; index < 5_000; index++) guard.add(idOf(index), 0)
    const [first] = guard.buckets
    expect(guard.has(idOf(5_000 - 1_500), 0)).toBe(true)
    expect(guard.has(idOf(5_000 - 1_601), 0)).toBe(false)
    expect((guard.buckets.at(-1)?.end ?? 0) - (first?.first ?? 0)).toBeLessThanOrEqual(1600)
  })

  test('buckets stay in order when their width was changed', () => {
    const guard = createGuard({ ...terms, guardBucketMs: 40 })
    guard.restoreBucket(
      { fromMs: 50 as never, split: 0, untilMs: 160 as never, parts: 1 },
      new Uint8Array(16),
    )
    guard.add(idOf(1), 55)
    expect(guard.buckets.map(({ fromMs, split }) => `${fromMs}.${split}`)).toEqual(['50.0'])
  })
})
