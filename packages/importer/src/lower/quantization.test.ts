import { describe, expect, test } from 'bun:test'
import { codeOf, quantizationOf, realOf, roundHalfEven } from './quantization.ts'

test('halves go to the even one', () => {
  expect([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999, 2.5001].map((x) => roundHalfEven(x) + 0)).toEqual([
    -2, -2, 0, 0, 2, 2, 2, 3,
  ])
})

describe('codes', () => {
  test('saturate', () => {
    const target = { dtype: 'i8', scale: 0.5, zeroPoint: -3 } as const
    expect([-100, -1, 0, 0.25, 0.75, 100].map((x) => codeOf(x, target))).toEqual([-128, -5, -3, -3, -1, 127])
  })

  test('are found by a division of 32-bit floats', () => {
    // In doubles, the float nearest to 0.35 over that nearest to 0.1 is 3.4999999; as a float it is 3.5.
    expect(codeOf(0.35, { dtype: 'u8', scale: Math.fround(0.1), zeroPoint: 0 })).toBe(4)
  })

  test('stand for reals, back and forth', () => {
    for (const [min, max] of [
      [0, 3],
      [-1, 1],
      [-5, 0.1],
      [2, 9],
      [-7, -3],
    ] as const) {
      const target = quantizationOf(min, max)
      const [first, last] = target.dtype === 'u8' ? [0, 255] : [-128, 127]
      for (let code = first; code <= last; code++) expect(codeOf(realOf(code, target), target)).toBe(code)
      expect(realOf(target.zeroPoint, target)).toBe(0)
      expect(realOf(last, target)).toBeGreaterThanOrEqual(max - target.scale)
      expect(realOf(first, target)).toBeLessThanOrEqual(Math.min(min, 0) + target.scale)
    }
  })
})
