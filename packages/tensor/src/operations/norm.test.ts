import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { entriesOf, infer, refusal, run, tensor, value } from '../../test/alone.ts'
import {
  addWide,
  clampWide,
  divideUnsigned,
  multiplySigned,
  roundDivideWide,
  shiftLeft,
  squareRootWide,
  widen,
} from '../limbs.ts'
import type { OperationName } from './index.ts'

const norms = ['rmsNorm', 'layerNorm'] as const satisfies readonly OperationName[]

function ones(n: number, gain = 1) {
  return tensor('i32', [n], new Array<number>(n).fill(gain))
}

interface Parameters {
  readonly epsilon: number
  readonly shift: number
}

/** The same rules a second time, in 32-bit steps as a device takes them. */
function byLimbs(
  op: OperationName,
  x: readonly number[],
  gains: readonly number[],
  { epsilon, shift }: Parameters,
): number[] {
  const n = x.length
  const sum = x.reduce((left, entry) => addWide(left, widen(entry)), widen(0))
  const mean = op === 'rmsNorm' ? 0 : roundDivideWide(shiftLeft(sum, 4), n).low | 0
  const centred = x.map((entry) => 16 * entry - mean)
  const squares = centred.reduce((total, entry) => addWide(total, multiplySigned(entry, entry)), widen(0))
  const meanSquare = divideUnsigned(shiftLeft(squares, 8), n).quotient
  const root = squareRootWide(addWide(meanSquare, widen(epsilon)))
  return centred.map((entry, column) => {
    const product = shiftLeft(multiplySigned(entry, gains[column] ?? 0), 4)
    return clampWide(roundDivideWide(product, root * 2 ** shift), -32_768, 32_767)
  })
}

describe('rmsNorm', () => {
  test('divides by the root mean square', () => {
    // The root of (9 + 16) / 2 is 3.5355; 100 · 3 / 3.5355 = 84.85, 100 · 4 / 3.5355 = 113.14.
    const x = tensor('i8', [1, 2], [3, -4])
    expect(entriesOf(run('rmsNorm', { epsilon: 1, shift: 0 }, x, ones(2, 100)))).toEqual([85, -113])
  })

  test('one column is its own size', () => {
    const x = tensor('i8', [3, 1], [-128, 1, 0])
    expect(entriesOf(run('rmsNorm', { epsilon: 1, shift: 0 }, x, ones(1, 64)))).toEqual([-64, 64, 0])
  })

  test('a shift takes binary places off the gain, halves upward', () => {
    const x = tensor('i8', [2, 1], [5, -5])
    expect(entriesOf(run('rmsNorm', { epsilon: 1, shift: 1 }, x, ones(1, 3)))).toEqual([2, -1])
  })

  test('epsilon damps small entries', () => {
    const x = tensor('i8', [1, 2], [1, -1])
    // V = 65,536 + 196,608: the root is 512, twice as large.
    expect(entriesOf(run('rmsNorm', { epsilon: 196_608, shift: 0 }, x, ones(2, 100)))).toEqual([50, -50])
  })

  test('results end at 16 bits', () => {
    const x = tensor('i32', [1, 4], [32_767, 0, 0, 0])
    expect(entriesOf(run('rmsNorm', { epsilon: 1, shift: 0 }, x, ones(4, 32_767)))).toEqual([32_767, 0, 0, 0])
    expect(entriesOf(run('rmsNorm', { epsilon: 1, shift: 0 }, x, ones(4, -32_767)))).toEqual([
      -32_768, 0, 0, 0,
    ])
  })
})

describe('layerNorm', () => {
  test('moves the mean to zero and divides by the deviation', () => {
    const x = tensor('u8', [2, 2], [10, 20, 255, 253])
    expect(entriesOf(run('layerNorm', { epsilon: 1, shift: 0 }, x, ones(2, 100)))).toEqual([
      -100, 100, 100, -100,
    ])
  })

  test('equal entries are zero, whatever they are', () => {
    for (const entry of [-128, -1, 0, 127]) {
      const x = tensor('i8', [1, 3], [entry, entry, entry])
      expect(entriesOf(run('layerNorm', { epsilon: 1, shift: 0 }, x, ones(3, 32_767)))).toEqual([0, 0, 0])
    }
  })

  test('one column is zero', () => {
    const x = tensor('i32', [2, 1], [-32_767, 32_767])
    expect(entriesOf(run('layerNorm', { epsilon: 1, shift: 0 }, x, ones(1, 32_767)))).toEqual([0, 0])
  })
})

for (const op of norms) {
  test(`${op}: zeros stay zeros, with the least epsilon`, () => {
    const x = tensor('i8', [1, 4], [0, 0, 0, 0])
    expect(entriesOf(run(op, { epsilon: 1, shift: 0 }, x, ones(4, 32_767)))).toEqual([0, 0, 0, 0])
  })

  test(`${op}: agrees with 32-bit steps`, () => {
    const entry = fc.oneof(
      fc.integer({ min: -32_767, max: 32_767 }),
      fc.constantFrom(-32_767, 32_767, -128, 0, 1),
      fc.integer({ min: -3, max: 3 }),
    )
    const cases = fc.record({
      columns: fc.array(fc.tuple(entry, entry), { minLength: 1, maxLength: 12 }),
      epsilon: fc.oneof(fc.constantFrom(1, 2 ** 31 - 1), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
      shift: fc.integer({ min: 0, max: 6 }),
    })
    fc.assert(
      fc.property(cases, ({ columns, epsilon, shift }) => {
        const n = columns.length
        const [x, gains] = [columns.map(([entry]) => entry), columns.map(([, gain]) => gain)]
        const y = entriesOf(run(op, { epsilon, shift }, tensor('i32', [n], x), tensor('i32', [n], gains)))
        expect(y).toEqual(byLimbs(op, x, gains, { epsilon, shift }))
        expect(y.every((result) => result >= -32_768 && result <= 32_767)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })

  test(`${op}: is what real numbers give, but for rounding`, () => {
    const entry = fc.integer({ min: -2_000, max: 2_000 })
    const rows = fc.array(entry, { minLength: 2, maxLength: 30 })
    fc.assert(
      fc.property(rows, (x) => {
        const mean = op === 'rmsNorm' ? 0 : x.reduce((left, right) => left + right) / x.length
        const centred = x.map((each) => each - mean)
        const size = Math.sqrt(centred.reduce((sum, each) => sum + each * each, 0) / x.length)
        fc.pre(size > 20)
        const y = entriesOf(
          run(op, { epsilon: 1, shift: 2 }, tensor('i32', [x.length], x), ones(x.length, 400)),
        )
        y.forEach((result, column) => {
          expect(Math.abs(result - ((centred[column] ?? 0) / size) * 100)).toBeLessThan(1.2)
        })
      }),
    )
  })

  test(`${op}: the longest rows of the greatest entries fit the limbs`, () => {
    const x = Array.from({ length: 16_384 }, (_, index) => (index % 2 === 0 ? 32_767 : -32_767))
    const gains = new Array<number>(16_384).fill(-32_767)
    const parameters = { epsilon: 2 ** 31 - 1, shift: 6 }
    const y = entriesOf(run(op, parameters, tensor('i32', [16_384], x), tensor('i32', [16_384], gains)))
    expect(y).toEqual(byLimbs(op, x, gains, parameters))
    expect(y.slice(0, 2)).toEqual([-512, 512])
  })

  test(`${op}: its result is what inference says`, () => {
    const gain = value('i32', [3], { min: -1, max: 1 })
    expect(infer(op, { epsilon: 1, shift: 0 }, value('u8', [2, 3]), gain)).toEqual({
      dtype: 'i32',
      shape: [2, 3],
      min: -32_768,
      max: 32_767,
    })
  })

  const small = { min: -32_767, max: 32_767 }
  const refused = [
    { desc: 'u32', x: value('u32', [4], small), gain: value('i32', [4], small), says: 'x is u32[4]' },
    {
      desc: 'rows too long',
      x: value('i8', [16_385]),
      gain: value('i32', [16_385], small),
      says: 'x is i8[16385], rows have at most 16384 entries',
    },
    {
      desc: 'entries too large',
      x: value('i32', [4], { min: -32_768, max: 0 }),
      gain: value('i32', [4], small),
      says: 'x could be -32768 to 0, allowed is ±32767',
    },
    {
      desc: 'gains too large',
      x: value('i8', [4]),
      gain: value('i32', [4], { min: 0, max: 32_768 }),
      says: 'gain could be 0 to 32768, allowed is ±32767',
    },
    {
      desc: 'another kind of gain',
      x: value('i8', [4]),
      gain: value('i8', [4]),
      says: 'gain is i8[4], expected i32[4]',
    },
    {
      desc: 'gains for other columns',
      x: value('i8', [4]),
      gain: value('i32', [3], small),
      says: 'gain is i32[3], expected i32[4]',
    },
    {
      desc: 'a matrix of gains',
      x: value('i8', [4]),
      gain: value('i32', [4, 1], small),
      says: 'gain is i32[4,1], expected i32[4]',
    },
  ]
  for (const { desc, x, gain, says } of refused) {
    test(`${op} refuses ${desc}`, () => {
      expect(refusal(op, { epsilon: 1, shift: 0 }, x, gain)).toStartWith(says)
    })
  }
}
