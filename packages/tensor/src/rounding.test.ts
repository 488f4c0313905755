import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { floorDivide, integerSquareRoot, roundDivide, roundShift, saturate } from './rounding.ts'
import { dtypeFacts, dtypes } from './tensor.ts'

const wide = fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n), fc.bigInt(-20n, 20n))
const divisors = fc.oneof(fc.bigInt(1n, 2n ** 40n), fc.bigInt(1n, 9n))

test('floorDivide goes towards minus infinity', () => {
  expect([7n, -7n, 6n, -6n].map((x) => floorDivide(x, 3n))).toEqual([2n, -3n, 2n, -2n])
  fc.assert(
    fc.property(wide, divisors, (x, divisor) => {
      const quotient = floorDivide(x, divisor)
      expect(quotient * divisor <= x && x < (quotient + 1n) * divisor).toBe(true)
    }),
  )
})

describe('to the nearest, halves upward', () => {
  test('roundDivide', () => {
    expect([-3n, -2n, -1n, 0n, 1n, 2n, 3n].map((x) => roundDivide(x, 2n))).toEqual([
      -1n,
      -1n,
      0n,
      0n,
      1n,
      1n,
      2n,
    ])
    fc.assert(
      fc.property(wide, divisors, (x, divisor) => {
        const twice = 2n * roundDivide(x, divisor) * divisor
        expect(2n * x - divisor < twice && twice <= 2n * x + divisor).toBe(true)
      }),
    )
  })

  test('roundShift divides by a power of two', () => {
    expect(roundShift(-5n, 0)).toBe(-5n)
    fc.assert(
      fc.property(wide, fc.integer({ min: 0, max: 62 }), (x, shift) => {
        expect(roundShift(x, shift)).toBe(roundDivide(x, 2n ** BigInt(shift)))
      }),
    )
  })
})

test('saturate gives the nearest number that the kind has', () => {
  for (const dtype of dtypes) {
    const { min, max } = dtypeFacts[dtype]
    expect(saturate(BigInt(min), dtype)).toBe(min)
    expect(saturate(BigInt(max), dtype)).toBe(max)
    expect(saturate(BigInt(min) - 1n, dtype)).toBe(min)
    expect(saturate(BigInt(max) + 1n, dtype)).toBe(max)
    expect(saturate(-(2n ** 62n), dtype)).toBe(min)
    expect(saturate(2n ** 62n, dtype)).toBe(max)
    expect(saturate(3n, dtype)).toBe(3)
  }
})

test('integerSquareRoot is the largest number whose square is at most x', () => {
  expect([0n, 1n, 2n, 3n, 4n, 8n, 9n].map(integerSquareRoot)).toEqual([0n, 1n, 1n, 1n, 2n, 2n, 3n])
  const numbers = fc.oneof(
    fc.bigInt(0n, 2n ** 64n),
    fc.bigInt(0n, 2n ** 32n).map((root) => root * root),
    fc.bigInt(1n, 2n ** 32n).map((root) => root * root - 1n),
  )
  fc.assert(
    fc.property(numbers, (x) => {
      const root = integerSquareRoot(x)
      expect(root * root <= x && x < (root + 1n) * (root + 1n)).toBe(true)
    }),
  )
})
