import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { cosineAndSine, exponential, logarithm, normalShareBelow } from './elementary.ts'

/** The engine's own functions are close, though not to the last bit everywhere. */
function expectClose(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(4e-15 * Math.max(1, Math.abs(expected)))
}

/** Spread evenly, where fc.double would give mostly tiny numbers. */
const real = (bound: number) =>
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((whole) => (whole / 2 ** 31) * bound)

test('exp', () => {
  fc.assert(
    fc.property(real(20), (x) => {
      expect(Math.abs(exponential(x) / Math.exp(x) - 1)).toBeLessThan(1e-13)
    }),
  )
  expect(exponential(0)).toBe(1)
  expect(exponential(-746)).toBe(0)
  expect(exponential(-1e300)).toBe(0)
  expect(exponential(710)).toBe(Number.POSITIVE_INFINITY)
})

test('ln', () => {
  fc.assert(
    fc.property(real(20), (exponent) => {
      const x = Math.exp(exponent)
      expectClose(logarithm(x), Math.log(x))
    }),
  )
  expect(logarithm(1)).toBe(0)
  for (const x of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => logarithm(x)).toThrow(`the logarithm of ${x}`)
  }
})

test('cos and sin', () => {
  fc.assert(
    fc.property(real(1000), (angle) => {
      const [cosine, sine] = cosineAndSine(angle)
      expect(Math.abs(cosine - Math.cos(angle))).toBeLessThan(1e-12)
      expect(Math.abs(sine - Math.sin(angle))).toBeLessThan(1e-12)
    }),
  )
  expect(cosineAndSine(0)).toEqual([1, 0])
})

test('the normal distribution', () => {
  // To the digits of a printed table.
  const table = [
    [-3, 0.001_349_898_031_630_1],
    [-1, 0.158_655_253_931_457_05],
    [0, 0.5],
    [1, 0.841_344_746_068_542_9],
    [1.96, 0.975_002_104_851_779_6],
    [6, 0.999_999_999_013_412_4],
  ] as const
  for (const [x, share] of table) expect(Math.abs(normalShareBelow(x) - share)).toBeLessThan(1e-14)
  fc.assert(
    fc.property(real(12), (x) => {
      expect(Math.abs(normalShareBelow(x) + normalShareBelow(-x) - 1)).toBeLessThan(1e-14)
    }),
  )
})

test('what is no number stays none, and ends', () => {
  expect(exponential(Number.NaN)).toBeNaN()
  expect(normalShareBelow(Number.NaN)).toBeNaN()
  expect(cosineAndSine(Number.POSITIVE_INFINITY)).toEqual([Number.NaN, Number.NaN])
})
