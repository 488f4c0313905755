import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { entriesOf, infer, refusal, run, tensor, value } from '../../test/alone.ts'

describe('ema', () => {
  test('moves a part of the way to each new entry', () => {
    // States with half the way each: 0, 50, 75, 37.5, of which the fraction keeps the half.
    const x = tensor('i8', [4, 1], [0, 100, 100, 0])
    expect(entriesOf(run('ema', { alpha: 32_768, fraction: 8 }, x))).toEqual([0, 50, 75, 38])
  })

  test('each series goes by itself', () => {
    const x = tensor('u8', [2, 3], [0, 255, 10, 255, 0, 10])
    expect(entriesOf(run('ema', { alpha: 16_384, fraction: 0 }, x))).toEqual([0, 255, 10, 64, 191, 10])
  })

  test('a whole alpha is the entries themselves', () => {
    const x = tensor('i8', [3], [-128, 127, -128])
    expect(entriesOf(run('ema', { alpha: 65_536, fraction: 3 }, x))).toEqual([-128, 127, -128])
  })

  test('the least alpha stands still where the state has no room for it', () => {
    const x = tensor('i32', [3], [0, 1, 1])
    expect(entriesOf(run('ema', { alpha: 1, fraction: 8 }, x))).toEqual([0, 0, 0])
  })

  test('one point in time is itself', () => {
    const x = tensor('i32', [1, 2], [-(2 ** 22), 2 ** 22])
    expect(entriesOf(run('ema', { alpha: 1, fraction: 8 }, x))).toEqual([-(2 ** 22), 2 ** 22])
  })

  test('the longest steps are exact', () => {
    const x = tensor('i32', [2], [-(2 ** 22), 2 ** 22])
    // 2^22 · (65,535 / 32,768 - 1)
    expect(entriesOf(run('ema', { alpha: 65_535, fraction: 8 }, x))).toEqual([-(2 ** 22), 2 ** 22 - 128])
  })

  test('agrees with a state written down in bigints, and stays between the entries so far', () => {
    const bound = 2 ** 22
    const entry = fc.oneof(fc.integer({ min: -bound, max: bound }), fc.constantFrom(-bound, bound, 0, 1))
    const cases = fc.record({
      entries: fc.array(entry, { minLength: 1, maxLength: 12 }),
      alpha: fc.oneof(fc.integer({ min: 1, max: 65_536 }), fc.constantFrom(1, 65_535, 65_536)),
      fraction: fc.integer({ min: 0, max: 8 }),
    })
    const floor = (a: bigint, b: bigint) => (a - (((a % b) + b) % b)) / b
    fc.assert(
      fc.property(cases, ({ entries, alpha, fraction }) => {
        const one = 2n ** BigInt(fraction)
        let state = BigInt(entries[0] ?? 0) * one
        const expected = entries.map((entry) => {
          const way = (BigInt(entry) * one - state) * BigInt(alpha)
          state += floor(2n * way + 65_536n, 131_072n)
          return Number(floor(2n * state + one, 2n * one))
        })
        const y = entriesOf(run('ema', { alpha, fraction }, tensor('i32', [entries.length], entries)))
        expect(y).toEqual(expected)
        y.forEach((average, at) => {
          const before = entries.slice(0, at + 1)
          expect(average >= Math.min(...before) && average <= Math.max(...before)).toBe(true)
        })
      }),
      { numRuns: 1_000 },
    )
  })

  test('its result is what inference says', () => {
    const x = value('i32', [3, 2], { min: -5, max: 9 })
    expect(infer('ema', { alpha: 1, fraction: 0 }, x)).toEqual(x)
  })

  const refused = [
    { desc: 'u32', x: value('u32', [3], { min: 0, max: 1 }), says: 'x is u32[3], expected i8, u8 or i32' },
    {
      desc: 'entries too large',
      x: value('i32', [3], { min: -(2 ** 22) - 1, max: 0 }),
      says: 'x could be -4194305 to 0, allowed is ±4194304',
    },
  ]
  for (const { desc, x, says } of refused) {
    test(`refuses ${desc}`, () => expect(refusal('ema', { alpha: 1, fraction: 0 }, x)).toBe(says))
  }
})
