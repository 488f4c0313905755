/**
 * The pseudo code of the specification's rules in 32-bit limbs (T31 to T33, T41, T44), line by line, against the references:
 * what a device without 64-bit integers computes.
 */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { entriesOf, run, tensor } from '../../test/alone.ts'
import {
  addWide,
  clampWide,
  divideUnsigned,
  multiplySigned,
  multiplyUnsigned,
  negateWide,
  roundDivideWide,
  roundShiftWide,
  shiftLeft,
  squareRootWide,
  widen,
} from '../limbs.ts'
import type { Tensor } from '../tensor.ts'

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

function normByLimbs(x: Tensor, gain: Tensor, epsilon: number, shift: number, centred: boolean): number[] {
  const [entries, gains] = [entriesOf(x), entriesOf(gain)]
  const n = entries.length
  const sum = inI32(entries.reduce((left, right) => left + right))
  const mean = centred ? roundDivideWide(multiplySigned(sum, 16), n).low | 0 : 0
  const centredEntries = entries.map((entry) => inI32(16 * entry - mean))
  const total = centredEntries.map((c) => multiplySigned(c, c)).reduce(addWide, widen(0))
  const variance = addWide(divideUnsigned(shiftLeft(total, 8), n).quotient, { high: 0, low: epsilon })
  const divisor = inI32(squareRootWide(variance) << shift)
  return centredEntries.map((c, column) => {
    const product = multiplySigned(inI32(16 * c), gains[column] ?? 0)
    return clampWide(roundDivideWide(product, divisor), -32_768, 32_767)
  })
}

test('T32, T33: norms', () => {
  const gains = fc.array(ends(32_767), { minLength: 12, maxLength: 12 })
  const epsilons = fc.oneof(fc.constantFrom(1, 2 ** 31 - 1), fc.integer({ min: 1, max: 1_000_000 }))
  fc.assert(
    fc.property(
      numbers(32_767),
      gains,
      epsilons,
      fc.integer({ min: 0, max: 6 }),
      (drawn, gain, epsilon, shift) => {
        const [x, g] = [row(drawn), row(gain.slice(0, drawn.length))]
        for (const op of ['rmsNorm', 'layerNorm'] as const) {
          const expected = entriesOf(run(op, { epsilon, shift }, x, g))
          expect(normByLimbs(x, g, epsilon, shift, op === 'layerNorm')).toEqual(expected)
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('T32, T33: the longest rows at both ends stay inside 64 bits', () => {
  const n = 16_384
  const x = row(Array.from({ length: n }, (_, index) => (index === 0 ? 32_767 : -32_767)))
  const gain = row(Array(n).fill(32_767))
  for (const op of ['rmsNorm', 'layerNorm'] as const) {
    const expected = entriesOf(run(op, { epsilon: 1, shift: 6 }, x, gain))
    expect(normByLimbs(x, gain, 1, 6, op === 'layerNorm')).toEqual(expected)
  }
})

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
