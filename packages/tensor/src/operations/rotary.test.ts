import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { entriesOf, infer, refusal, run, tensor, tightly, value } from '../../test/alone.ts'
import { dtypeFacts } from '../tensor.ts'

const plain = { shift: 0, interleaved: false }
const small = { min: -32_767, max: 32_767 }

describe('rotary', () => {
  // A quarter turn takes (a, b) to (-b, a).
  const cos = tensor('i32', [1, 2], [0, 0])
  const sin = tensor('i32', [1, 2], [1, 1])

  test('turns pairs that lie half a row apart', () => {
    const x = tensor('i8', [1, 4], [1, 2, 3, 4])
    expect(entriesOf(run('rotary', plain, x, cos, sin))).toEqual([-3, -4, 1, 2])
  })

  test('turns neighbours when interleaved', () => {
    const x = tensor('i8', [1, 4], [1, 2, 3, 4])
    expect(entriesOf(run('rotary', { shift: 0, interleaved: true }, x, cos, sin))).toEqual([-2, 1, -4, 3])
  })

  test('each position has its angle, the same in every batch', () => {
    const x = tensor('i32', [2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])
    const turn = [tensor('i32', [2, 1], [1, 0]), tensor('i32', [2, 1], [0, 1])] as const
    expect(entriesOf(run('rotary', plain, x, ...turn))).toEqual([1, 2, -4, 3, 5, 6, -8, 7])
  })

  test('rounds halves upward and saturates', () => {
    const [half, none] = [tensor('i32', [1, 1], [1]), tensor('i32', [1, 1], [0])]
    const x = tensor('i8', [1, 2], [3, -3])
    expect(entriesOf(run('rotary', { shift: 1, interleaved: false }, x, half, none))).toEqual([2, -1])
    const lowest = tensor('i8', [1, 2], [-128, -128])
    // (-128 · 1 - -128 · -1, -128 · -1 + -128 · 1) and (-128 · 1 - -128 · 1, -128 · 1 + -128 · 1)
    expect(entriesOf(run('rotary', plain, lowest, half, tensor('i32', [1, 1], [-1])))).toEqual([-128, 0])
    expect(entriesOf(run('rotary', plain, lowest, half, half))).toEqual([0, -128])
  })

  test('the greatest numbers sum within 32 bits', () => {
    const most = tensor('i32', [1, 1], [32_767])
    const x = tensor('i32', [1, 2], [32_767, 32_767])
    const attributes = { shift: 15, interleaved: false }
    expect(entriesOf(run('rotary', attributes, x, most, most))).toEqual([0, 65_532])
    expect(2 * 32_767 ** 2 + 2 ** 14).toBeLessThan(2 ** 31)
  })

  test('agrees with bigints, inside the inferred range', () => {
    const entry = fc.oneof(fc.integer(small), fc.constantFrom(-32_767, 32_767, 0))
    const pairs = fc.array(fc.tuple(entry, entry, entry, entry), { minLength: 1, maxLength: 6 })
    const cases = fc.record({
      pairs,
      dtype: fc.constantFrom('i8', 'i32'),
      shift: fc.integer({ min: 0, max: 15 }),
      interleaved: fc.boolean(),
    })
    fc.assert(
      fc.property(cases, ({ pairs, dtype, shift, interleaved }) => {
        const n = pairs.length
        const fit = (entry: number) => (dtype === 'i8' ? entry >> 8 : entry)
        const places = pairs.map((_, pair) => (interleaved ? [2 * pair, 2 * pair + 1] : [pair, pair + n]))
        const entries = new Array<number>(2 * n)
        pairs.forEach(([a, b], pair) => {
          const [first = 0, second = 0] = places[pair] ?? []
          entries[first] = fit(a)
          entries[second] = fit(b)
        })
        const angles = [2, 3].map((at) =>
          tensor(
            'i32',
            [1, n],
            pairs.map((pair) => pair[at] ?? 0),
          ),
        )
        const operands = [tensor(dtype, [1, 2 * n], entries), ...angles]
        const y = run('rotary', { shift, interleaved }, ...operands)
        const declared = operands.map(({ dtype, shape }) =>
          value(dtype, shape, dtype === 'i8' ? undefined : small),
        )
        const wide = infer('rotary', { shift, interleaved }, ...declared)
        const { min, max } = dtypeFacts[dtype]
        const rounded = (sum: bigint) => {
          const [half, whole] = [2n ** BigInt(shift), 2n ** BigInt(shift + 1)]
          const doubled = 2n * sum + (shift === 0 ? 0n : half)
          const floor = (doubled - (((doubled % whole) + whole) % whole)) / whole
          return Number(floor < BigInt(min) ? BigInt(min) : floor > BigInt(max) ? BigInt(max) : floor)
        }
        pairs.forEach(([a, b, cos, sin], pair) => {
          const [first = 0, second = 0] = places[pair] ?? []
          const [p, q, c, s] = [BigInt(fit(a)), BigInt(fit(b)), BigInt(cos), BigInt(sin)]
          expect(y.data[first]).toBe(rounded(p * c - q * s))
          expect(y.data[second]).toBe(rounded(p * s + q * c))
        })
        const tight = infer('rotary', { shift, interleaved }, ...operands.map(tightly))
        for (const { min: least, max: most } of [wide, tight]) {
          expect(y.data.every((entry) => entry >= least && entry <= most)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('knows how far each of the two sums can go', () => {
    const [x, cos] = [value('i32', [1, 2], { min: 5, max: 5 }), value('i32', [1, 1], { min: 0, max: 4 })]
    const once = value('i32', [1, 1], { min: 1, max: 1 })
    // 5 · cos - 5 from -5 to 15, 5 + 5 · cos from 5 to 25
    expect(infer('rotary', plain, x, cos, once)).toMatchObject({ min: -5, max: 25 })
    expect(infer('rotary', plain, x, once, cos)).toMatchObject({ min: -15, max: 25 })
  })

  test('knows how far entries can go', () => {
    const table = value('i32', [3, 2], { min: -4, max: 4 })
    expect(
      infer('rotary', { shift: 2, interleaved: false }, value('i32', [3, 4], small), table, table),
    ).toEqual({
      dtype: 'i32',
      shape: [3, 4],
      min: -65_534,
      max: 65_534,
    })
  })

  const table = value('i32', [3, 2], small)
  const refused = [
    { desc: 'u8', x: value('u8', [3, 4]), says: 'x is u8[3,4], expected i8 or i32' },
    { desc: 'a vector', x: value('i8', [4]), says: 'x is i8[4], expected two dimensions or more' },
    { desc: 'odd rows', x: value('i8', [3, 5]), says: 'x has rows of 5, which are no pairs' },
    { desc: 'other positions', x: value('i8', [2, 4]), says: 'cos is i32[3,2], expected i32[2,2]' },
    { desc: 'other columns', x: value('i8', [3, 6]), says: 'cos is i32[3,2], expected i32[3,3]' },
    {
      desc: 'a sine of its own shape',
      x: value('i8', [3, 4]),
      sin: value('i32', [3, 1], small),
      says: 'sin is i32[3,1], expected i32[3,2]',
    },
    {
      desc: 'a sine of bytes',
      x: value('i8', [3, 4]),
      sin: value('i8', [3, 2]),
      says: 'sin is i8[3,2], expected i32[3,2]',
    },
    {
      desc: 'a table with batches',
      x: value('i8', [3, 4]),
      sin: value('i32', [1, 3, 2], small),
      says: 'sin is i32[1,3,2], expected i32[3,2]',
    },
    {
      desc: 'entries too large',
      x: value('i32', [3, 4], { min: 0, max: 32_768 }),
      says: 'x could be 0 to 32768, allowed is ±32767',
    },
    {
      desc: 'angles too large',
      x: value('i8', [3, 4]),
      sin: value('i32', [3, 2], { min: -32_768, max: 0 }),
      says: 'sin could be -32768 to 0, allowed is ±32767',
    },
  ]
  for (const { desc, x, sin = table, says } of refused) {
    test(`refuses ${desc}`, () => expect(refusal('rotary', plain, x, table, sin)).toBe(says))
  }
})
