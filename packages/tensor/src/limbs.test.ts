import { describe, expect, test } from 'bun:test'
import fc, { type Arbitrary } from 'fast-check'
import {
  addWide,
  clampWide,
  divideUnsigned,
  floorDivideWide,
  multiplySigned,
  multiplyUnsigned,
  negateWide,
  requantizeByLimbs,
  roundDivideWide,
  roundShiftWide,
  shiftLeft,
  shiftRight,
  squareRootWide,
  type Wide,
  widen,
} from './limbs.ts'
import { requantized } from './operations/requantize.ts'
import { floorDivide, integerSquareRoot, roundDivide, roundShift } from './rounding.ts'
import { dtypeFacts } from './tensor.ts'

/** Leans to the places where limbs, halves and signs meet. */
function around(bits: readonly number[], min: bigint, max: bigint): Arbitrary<bigint> {
  const edges = fc
    .record({ bit: fc.constantFrom(...bits), off: fc.bigInt(-2n, 2n), negative: fc.boolean() })
    .map(({ bit, off, negative }) => (negative ? -1n : 1n) * 2n ** BigInt(bit) + off)
    .filter((value) => value >= min && value <= max)
  return fc.oneof(edges, fc.bigInt(min, max), fc.constantFrom(min, max))
}

const [i32Min, i32Max] = [-(2n ** 31n), 2n ** 31n - 1n]
const u32 = around([8, 15, 16, 17, 31], 0n, 2n ** 32n - 1n).map(Number)
const i32 = around([8, 15, 16, 30], i32Min, i32Max).map(Number)
const i64 = around([15, 16, 31, 32, 33, 47, 48, 62], -(2n ** 63n), 2n ** 63n - 1n)
const i62 = around([15, 16, 31, 32, 33, 47, 48, 61], -(2n ** 62n), 2n ** 62n)
const u64 = around([15, 16, 31, 32, 33, 47, 48, 63], 0n, 2n ** 64n - 1n)

function fromBig(x: bigint): Wide {
  return { high: Number(BigInt.asIntN(32, x >> 32n)), low: Number(BigInt.asUintN(32, x)) }
}

function toBig({ high, low }: Wide): bigint {
  return BigInt(high) * 2n ** 32n + BigInt(low)
}

const unsigned = (x: Wide) => BigInt.asUintN(64, toBig(x))
const wraps = (x: bigint) => BigInt.asIntN(64, x)

/** Both limbs are what they claim to be, or later steps would go wrong. */
function expectWide(actual: Wide, expected: bigint): void {
  expect(actual).toEqual(fromBig(expected))
}

const runs = { numRuns: 2_000 }

describe('against bigints', () => {
  test('widening keeps the number', () => {
    fc.assert(fc.property(i32, (x) => expectWide(widen(x), BigInt(x))))
  })

  test('sums and negations wrap as 64 bits do', () => {
    fc.assert(
      fc.property(i64, i64, (x, y) => {
        expectWide(addWide(fromBig(x), fromBig(y)), wraps(x + y))
        expectWide(negateWide(fromBig(x)), wraps(-x))
      }),
      runs,
    )
  })

  test('products without a sign', () => {
    fc.assert(
      fc.property(u32, u32, (x, y) => {
        expect(unsigned(multiplyUnsigned(x, y))).toBe(BigInt(x) * BigInt(y))
      }),
      runs,
    )
  })

  test('products with signs', () => {
    fc.assert(
      fc.property(i32, i32, (x, y) => expectWide(multiplySigned(x, y), BigInt(x) * BigInt(y))),
      runs,
    )
  })

  test('shifts, by every count', () => {
    fc.assert(
      fc.property(i64, fc.integer({ min: 0, max: 63 }), (x, count) => {
        expectWide(shiftLeft(fromBig(x), count), wraps(x << BigInt(count)))
        expectWide(shiftRight(fromBig(x), count), x >> BigInt(count))
      }),
      runs,
    )
  })

  test('rounding shifts of any product', () => {
    fc.assert(
      fc.property(i62, fc.integer({ min: 0, max: 62 }), (x, count) => {
        expectWide(roundShiftWide(fromBig(x), count), roundShift(x, count))
      }),
      runs,
    )
  })

  test('clamping', () => {
    fc.assert(
      fc.property(i64, i32, i32, (x, one, other) => {
        const [min, max] = [Math.min(one, other), Math.max(one, other)]
        const expected = x < BigInt(min) ? min : x > BigInt(max) ? max : Number(x)
        expect(clampWide(fromBig(x), min, max)).toBe(expected)
      }),
      runs,
    )
  })

  test('division without a sign', () => {
    fc.assert(
      fc.property(
        u64,
        u32.filter((divisor) => divisor > 0),
        (x, divisor) => {
          const { quotient, rest } = divideUnsigned(fromBig(x), divisor)
          expect(unsigned(quotient)).toBe(x / BigInt(divisor))
          expect(BigInt(rest)).toBe(x % BigInt(divisor))
        },
      ),
      runs,
    )
  })

  const divisors = around([8, 16, 30], 1n, i32Max)

  test('division towards minus infinity', () => {
    fc.assert(
      fc.property(i64, divisors, (x, divisor) => {
        expectWide(floorDivideWide(fromBig(x), Number(divisor)), floorDivide(x, divisor))
      }),
      runs,
    )
  })

  test('division to the nearest', () => {
    const i61 = around([15, 16, 31, 32, 33, 47, 48, 60], -(2n ** 61n), 2n ** 61n)
    fc.assert(
      fc.property(i61, divisors, (x, divisor) => {
        expectWide(roundDivideWide(fromBig(x), Number(divisor)), roundDivide(x, divisor))
      }),
      runs,
    )
  })

  test('square roots, also of squares and their neighbours', () => {
    const squares = fc
      .tuple(u32, fc.bigInt(-1n, 1n))
      .map(([root, off]) => BigInt(root) ** 2n + off)
      .filter((x) => x >= 0n)
    fc.assert(
      fc.property(fc.oneof(u64, squares), (x) => {
        expect(BigInt(squareRootWide(fromBig(x)))).toBe(integerSquareRoot(x))
      }),
      runs,
    )
  })

  test('requantize as a whole', () => {
    const target = fc.constantFrom('i8', 'u8', 'i32')
    const [shifts, zeroPoints] = [fc.integer({ min: 0, max: 62 }), fc.integer({ min: -128, max: 255 })]
    fc.assert(
      fc.property(i32, i32, shifts, zeroPoints, target, (x, multiplier, shift, zeroPoint, to) => {
        const expected = requantized(x, multiplier, shift, zeroPoint, to)
        expect(requantizeByLimbs(x, { multiplier, shift, zeroPoint }, dtypeFacts[to])).toBe(expected)
      }),
      runs,
    )
  })
})

test('the largest product and its rounding stay inside 64 bits', () => {
  const product = multiplySigned(-(2 ** 31), -(2 ** 31))
  expectWide(product, 2n ** 62n)
  expectWide(roundShiftWide(product, 62), 1n)
  expectWide(roundShiftWide(multiplySigned(-(2 ** 31), 2 ** 31 - 1), 62), -1n)
  expectWide(roundShiftWide(fromBig(-(2n ** 61n)), 62), 0n)
})
