import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { requantizeScale, requantizeScales } from './requantizeScale.ts'

describe('requantizeScale', () => {
  const cases = [
    { factor: 1, multiplier: 2 ** 30, shift: 30 },
    { factor: 0.5, multiplier: 2 ** 30, shift: 31 },
    { factor: -0.75, multiplier: -3 * 2 ** 29, shift: 31 },
    { factor: 1 / 3, multiplier: 1_431_655_765, shift: 32 },
    { factor: 2 ** 30, multiplier: 2 ** 30, shift: 0 },
    { factor: 2 ** 31 - 1, multiplier: 2 ** 31 - 1, shift: 0 },
    { factor: 2 ** -32, multiplier: 2 ** 30, shift: 62 },
    { factor: 2 ** -62, multiplier: 1, shift: 62 },
    // Rounded up to the next power of two, which has one bit less to show.
    { factor: 1 - 2 ** -40, multiplier: 2 ** 30, shift: 30 },
  ]
  for (const { factor, multiplier, shift } of cases) {
    test(`${factor} is ${multiplier} / 2^${shift}`, () => {
      expect(requantizeScale(factor)).toEqual({ multiplier, shift })
    })
  }

  test('is the nearest that 31 bits can give', () => {
    const factors = fc.double({ min: 2 ** -32, max: 2 ** 31 - 1, noNaN: true })
    fc.assert(
      fc.property(factors, fc.boolean(), (size, negative) => {
        const { multiplier, shift } = requantizeScale(negative ? -size : size)
        expect(Math.abs(multiplier)).toBeGreaterThanOrEqual(2 ** 30)
        expect(Math.abs(multiplier)).toBeLessThan(2 ** 31)
        expect(multiplier < 0).toBe(negative)
        // Scaling by a power of two is exact, so this is the distance in units of the multiplier.
        expect(Math.abs(size * 2 ** shift - Math.abs(multiplier))).toBeLessThanOrEqual(0.5)
      }),
    )
  })

  for (const factor of [0, 2 ** 31, 2 ** -64, Number.NaN, Number.POSITIVE_INFINITY, -(2 ** 31)]) {
    test(`refuses ${factor}`, () => {
      expect(() => requantizeScale(factor)).toThrow(`the factor ${factor} is none`)
    })
  }

  test('gives one for each channel', () => {
    expect(requantizeScales([1, 0.5])).toEqual({
      multipliers: Int32Array.of(2 ** 30, 2 ** 30),
      shifts: Uint8Array.of(30, 31),
    })
  })
})
