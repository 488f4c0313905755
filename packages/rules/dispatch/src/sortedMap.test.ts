import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { SortedMap } from './sortedMap.ts'

type NumberMap = SortedMap<string, number>

const sorted = (model: ReadonlyMap<string, number>): readonly (readonly [string, number])[] =>
  [...model].sort(([left], [right]) => (left < right ? -1 : 1))

function expectSame(map: NumberMap, model: ReadonlyMap<string, number>): void {
  const entries = sorted(model)
  expect([...map.entries()]).toEqual([...entries])
  expect([...map.values()]).toEqual(entries.map(([, value]) => value))
  expect(map.size).toBe(model.size)
  expect(map.first()).toEqual(entries[0])
}

const key = (number: number): string => String(number).padStart(6, '0')

describe('SortedMap', () => {
  test('is empty', () => {
    const map = SortedMap.empty<string, number>()
    expectSame(map, new Map())
    expect(map.get('a')).toBeUndefined()
    expect(map.delete('a')).toBe(map)
    expect([...map.entries('a')]).toEqual([])
  })

  test('does as a Map does, whatever is set and deleted', () => {
    const action = fc.record({
      isDelete: fc.boolean(),
      key: fc.oneof(fc.string({ maxLength: 3 }), fc.integer({ min: 0, max: 150 }).map(String)),
      value: fc.integer(),
    })
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 400, size: 'max' }),
        fc.string({ maxLength: 3 }),
        (actions, from) => {
          let map = SortedMap.empty<string, number>()
          const model = new Map<string, number>()
          for (const each of actions) {
            if (each.isDelete) {
              map = map.delete(each.key)
              model.delete(each.key)
            } else {
              map = map.set(each.key, each.value)
              model.set(each.key, each.value)
            }
            expect(map.get(each.key)).toBe(model.get(each.key))
            expect(map.has(each.key)).toBe(model.has(each.key))
          }
          expectSame(map, model)
          expect([...map.entries(from)]).toEqual(sorted(model).filter(([each]) => each >= from))
        },
      ),
      { numRuns: 150 },
    )
  })

  test('leaves every earlier map as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 80 }), { maxLength: 120, size: 'max' }), (numbers) => {
        const past: { readonly map: NumberMap; readonly model: ReadonlyMap<string, number> }[] = []
        let map = SortedMap.empty<string, number>()
        const model = new Map<string, number>()
        for (const number of numbers) {
          past.push({ map, model: new Map(model) })
          const isThere = model.has(key(number))
          map = isThere ? map.delete(key(number)) : map.set(key(number), number)
          if (isThere) model.delete(key(number))
          else model.set(key(number), number)
        }
        for (const moment of past) expectSame(moment.map, moment.model)
      }),
      { numRuns: 50 },
    )
  })

  test('is the same map when nothing changes', () => {
    const map = SortedMap.empty<string, number>().set('a', 1)
    expect(map.set('a', 1)).toBe(map)
    expect(map.delete('b')).toBe(map)
    expect(map.set('a', 2)).not.toBe(map)
  })

  const numbers = Array.from({ length: 5000 }, (_, index) => index)
  // 7919 is a prime that does not divide 5000, so every number comes once.
  const shuffled = numbers.map((number) => (number * 7919) % 5000)
  const orders = [
    { desc: 'ascending', order: numbers },
    { desc: 'descending', order: numbers.toReversed() },
    { desc: 'shuffled', order: shuffled },
  ]
  for (const set of orders) {
    for (const remove of orders) {
      test(`takes thousands of keys ${set.desc} and gives them up ${remove.desc}`, () => {
        let map = SortedMap.empty<string, number>()
        for (const number of set.order) map = map.set(key(number), number)
        const full = map
        expect([...map.values()]).toEqual(numbers)
        expect([...map.entries(key(4990))].map(([, value]) => value)).toEqual(numbers.slice(4990))
        expect([...map.entries('0024995')].length).toBe(5000 - 2500)
        for (const number of remove.order) {
          map = map.delete(key(number))
          expect(map.get(key(number))).toBeUndefined()
        }
        expectSame(map, new Map())
        expect(full.size).toBe(5000)
        expect(map.set('a', 1).first()).toEqual(['a', 1])
      })
    }
  }

  test('serves as a queue: thousands pass through a short one', () => {
    let map = SortedMap.empty<string, number>()
    for (const number of numbers) {
      map = map.set(key(number), number)
      if (number < 40) continue
      const first = map.first()
      expect(first).toEqual([key(number - 40), number - 40])
      map = map.delete(key(number - 40))
    }
    expect(map.size).toBe(40)
  })
})
