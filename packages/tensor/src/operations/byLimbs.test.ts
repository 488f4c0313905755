/**
 * The pseudo code of the specification's rules in 32-bit limbs (T31, T41, T44), line by line, against the references: what a
 * device without 64-bit integers computes. Those of T23 are in `limbs.test.ts`, of T32 and T33 in `norm.test.ts`.
 */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { entriesOf, run, tensor } from '../../test/alone.ts'
import { multiplyUnsigned, negateWide, roundShiftWide } from '../limbs.ts'

function ends(magnitude: number): fc.Arbitrary<number> {
  const all = fc.integer({ min: -magnitude, max: magnitude })
  return fc.oneof(all, fc.constantFrom(-magnitude, magnitude, -1, 0, 1))
}

const numbers = (magnitude: number) => fc.array(ends(magnitude), { minLength: 1, maxLength: 12 })
const row = (entries: readonly number[]) => tensor('i32', [entries.length], entries)

function inI32(x: number): number {
  if ((x | 0) !== x) throw new Error(`${x} does not fit i32`)
  return x
}

test('T44: moving averages, whose differences need 33 bits', () => {
  const alphas = fc.oneof(fc.constantFrom(1, 65_536), fc.integer({ min: 1, max: 65_536 }))
  fc.assert(
    fc.property(numbers(2 ** 22), alphas, fc.integer({ min: 0, max: 8 }), (drawn, alpha, fraction) => {
      let state = inI32((drawn[0] ?? 0) * 2 ** fraction)
      const averages = drawn.map((entry) => {
        const scaled = inI32(entry * 2 ** fraction)
        const isNegative = scaled < state
        const size = (isNegative ? state - scaled : scaled - state) >>> 0
        const product = multiplyUnsigned(size, alpha)
        state = (state + roundShiftWide(isNegative ? negateWide(product) : product, 16).low) | 0
        return fraction === 0 ? state : inI32(state + 2 ** (fraction - 1)) >> fraction
      })
      expect(averages).toEqual(entriesOf(run('ema', { alpha, fraction }, row(drawn))))
    }),
    { numRuns: 1_000 },
  )
})

test('T31: shares by one division of u32', () => {
  const tables = fc.array(fc.oneof(fc.constantFrom(0, 1, 65_535), fc.nat(65_535)), {
    minLength: 256,
    maxLength: 256,
  })
  fc.assert(
    fc.property(numbers(2 ** 31 - 1), tables, (drawn, weights) => {
      const largest = Math.max(...drawn)
      const shares = drawn.map((entry) => weights[Math.min((largest - entry) >>> 0, 255)] ?? 0)
      const sum = shares.reduce((left, right) => left + right)
      const divided = shares.map((share) =>
        sum === 0 ? 0 : Math.floor(((510 * share + sum) >>> 0) / ((2 * sum) >>> 0)),
      )
      expect(divided).toEqual(entriesOf(run('softmax', {}, row(drawn), tensor('u32', [256], weights))))
    }),
    { numRuns: 500 },
  )
})

test('T41: means by a division that goes towards zero', () => {
  fc.assert(
    fc.property(numbers(2 ** 25), (drawn) => {
      const x = tensor('i32', [1, 1, drawn.length, 1], drawn)
      const whole = { windowH: 1, windowW: drawn.length, strideH: 1, strideW: 1 }
      const pads = { padTop: 0, padLeft: 0, padBottom: 0, padRight: 0 }
      const numerator = inI32(2 * drawn.reduce((left, right) => left + right) + drawn.length)
      const divisor = 2 * drawn.length
      const mean = Math.trunc(numerator / divisor) - (numerator % divisor < 0 ? 1 : 0)
      expect([mean + 0]).toEqual(entriesOf(run('averagePool', { ...whole, ...pads }, x)))
    }),
    { numRuns: 500 },
  )
})
