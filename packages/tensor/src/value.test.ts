import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { value } from '../test/alone.ts'
import {
  addRanges,
  clampRange,
  describeType,
  joinRanges,
  magnitude,
  multiplyRanges,
  type Range,
  rankMax,
  resultOf,
  saturatedResult,
  scaleRange,
  subtractRanges,
  valueBytesMax,
} from './value.ts'

const ranges = fc
  .tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -99, max: 99 }))
  .map(([one, other]): Range => ({ min: Math.min(one, other), max: Math.max(one, other) }))
const members = (range: Range) => fc.integer({ min: range.min, max: range.max })
const isIn = (entry: number, { min, max }: Range) => entry >= min && entry <= max

describe('intervals hold every result of entries within', () => {
  const rules = [
    { name: 'sum', of: addRanges, entry: (x: number, y: number) => x + y },
    { name: 'difference', of: subtractRanges, entry: (x: number, y: number) => x - y },
    { name: 'product', of: multiplyRanges, entry: (x: number, y: number) => x * y },
    { name: 'either', of: joinRanges, entry: (x: number) => x },
    { name: 'or', of: joinRanges, entry: (_: number, y: number) => y },
  ]
  for (const { name, of, entry } of rules) {
    test(name, () => {
      const drawn = fc
        .tuple(ranges, ranges)
        .chain(([x, y]) => fc.tuple(fc.constant({ x, y }), members(x), members(y)))
      fc.assert(fc.property(drawn, ([{ x, y }, a, b]) => expect(isIn(entry(a, b), of(x, y))).toBe(true)))
    })
  }

  test('and their ends are reached', () => {
    fc.assert(
      fc.property(ranges, ranges, (x, y) => {
        const ends = (combine: (a: number, b: number) => number) =>
          [x.min, x.max].flatMap((a) => [y.min, y.max].map((b) => combine(a, b)))
        const hull = (entries: readonly number[]) => ({
          min: Math.min(...entries),
          max: Math.max(...entries),
        })
        expect(addRanges(x, y)).toEqual(hull(ends((a, b) => a + b)))
        expect(subtractRanges(x, y)).toEqual(hull(ends((a, b) => a - b)))
        expect(multiplyRanges(x, y)).toEqual(hull(ends((a, b) => a * b)))
      }),
    )
  })

  test('clamped to others, inside or at the nearest end', () => {
    const bounds = { min: -3, max: 5 }
    expect(clampRange({ min: -9, max: 9 }, bounds)).toEqual(bounds)
    expect(clampRange({ min: 0, max: 2 }, bounds)).toEqual({ min: 0, max: 2 })
    expect(clampRange({ min: 7, max: 9 }, bounds)).toEqual({ min: 5, max: 5 })
    expect(clampRange({ min: -9, max: -7 }, bounds)).toEqual({ min: -3, max: -3 })
  })

  test('times a count, and their size', () => {
    expect(scaleRange({ min: -2, max: 3 }, 4)).toEqual({ min: -8, max: 12 })
    expect(magnitude({ min: -7, max: 3 })).toBe(7)
    expect(magnitude({ min: 2, max: 3 })).toBe(3)
  })
})

describe('a result', () => {
  test('without an interval is anything that its kind holds', () => {
    expect(resultOf('i8', [2])).toEqual(value('i8', [2]))
  })

  test('has up to six dimensions', () => {
    const ranks = [0, 7].map((rank) => resultOf('i8', Array(rank).fill(1)))
    expect(ranks).toEqual([
      { broken: 'the result would have 0 dimensions, allowed is 1 to 6' },
      { broken: 'the result would have 7 dimensions, allowed is 1 to 6' },
    ])
    expect(resultOf('i8', Array(rankMax).fill(1))).toEqual(value('i8', [1, 1, 1, 1, 1, 1]))
  })

  test('has up to 256 MiB, whatever its sizes multiply to', () => {
    expect(resultOf('u8', [valueBytesMax])).toEqual(value('u8', [valueBytesMax]))
    expect(resultOf('i32', [valueBytesMax / 4 + 1])).toEqual({
      broken: 'the result i32[67108865] has 268435460 bytes, the limit is 268435456',
    })
    expect(resultOf('i8', Array(6).fill(2 ** 31 - 1))).toHaveProperty('broken')
  })

  test('stays within its kind, or is refused; or saturates', () => {
    expect(resultOf('u8', [1], { min: -1, max: 3 })).toEqual({
      broken: 'entries could be -1 to 3, which overflows u8',
    })
    expect(resultOf('i8', [1], { min: 0, max: 128 })).toEqual({
      broken: 'entries could be 0 to 128, which overflows i8',
    })
    expect(saturatedResult('u8', [1], { min: -1, max: 300 })).toEqual(value('u8', [1]))
    expect(saturatedResult('i8', [1], { min: 200, max: 300 })).toEqual(
      value('i8', [1], { min: 127, max: 127 }),
    )
  })
})

test('a type in a sentence', () => {
  expect(describeType({ dtype: 'i32', shape: [2, 3] })).toBe('i32[2,3]')
})
