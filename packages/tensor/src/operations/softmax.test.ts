import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { entriesOf, infer, refusal, run, tensor, value } from '../../test/alone.ts'
import { softmaxTable } from '../tables.ts'

/** A weight that halves with every step of distance. */
const halving = tensor(
  'u32',
  [256],
  Array.from({ length: 256 }, (_, distance) => (distance < 16 ? 2 ** (15 - distance) : 0)),
)

function table(weights: Readonly<Record<number, number>>) {
  const entries = Array.from({ length: 256 }, (_, distance) => weights[distance] ?? 0)
  return tensor('u32', [256], entries)
}

describe('softmax', () => {
  test('shares 255 among the entries of each row', () => {
    const x = tensor('i8', [2, 4], [0, 0, 0, 0, 3, 2, 1, 0])
    expect(entriesOf(run('softmax', {}, x, halving))).toEqual([64, 64, 64, 64, 136, 68, 34, 17])
  })

  test('one entry takes all', () => {
    const x = tensor('i32', [3, 1], [-(2 ** 31), 0, 2 ** 31 - 1])
    expect(entriesOf(run('softmax', {}, x, halving))).toEqual([255, 255, 255])
  })

  test('distances from 255 on read the last entry, even the longest', () => {
    const last = table({ 0: 3, 254: 9, 255: 1 })
    const x = tensor('i32', [1, 3], [2 ** 31 - 1, 2 ** 31 - 256, -(2 ** 31)])
    expect(entriesOf(run('softmax', {}, x, last))).toEqual([153, 51, 51])
    const near = tensor('u8', [1, 2], [255, 1])
    expect(entriesOf(run('softmax', {}, near, last))).toEqual([64, 191])
  })

  test('a row whose weights sum to nothing is nothing', () => {
    const x = tensor('i8', [2, 2], [5, 5, 5, 4])
    expect(entriesOf(run('softmax', {}, x, table({ 1: 7 })))).toEqual([0, 0, 0, 255])
  })

  test('halves round upward', () => {
    // 255 · 1 / 2 = 127.5 for both, so a row may sum to more than 255.
    expect(entriesOf(run('softmax', {}, tensor('i8', [2], [1, 1]), table({ 0: 1 })))).toEqual([128, 128])
  })

  test('the greatest weights that are allowed', () => {
    const x = tensor('u8', [1, 3], [7, 7, 7])
    const greatest = table({ 0: 65_535 })
    expect(entriesOf(run('softmax', {}, x, greatest))).toEqual([85, 85, 85])
  })

  test('each share is the nearest to its quotient', () => {
    const rows = fc.record({
      dtype: fc.constantFrom('i8', 'u8', 'i32'),
      entries: fc.array(fc.integer({ min: 0, max: 127 }), { minLength: 1, maxLength: 20 }),
      weights: fc.array(fc.integer({ min: 0, max: 65_535 }), { minLength: 256, maxLength: 256 }),
    })
    fc.assert(
      fc.property(rows, ({ dtype, entries, weights }) => {
        const n = entries.length
        const y = entriesOf(run('softmax', {}, tensor(dtype, [n], entries), tensor('u32', [256], weights)))
        const terms = entries.map((entry) => weights[Math.max(...entries) - entry] ?? 0)
        const sum = terms.reduce((left, right) => left + right)
        y.forEach((share, index) => {
          const doubled = 2 * 255 * (terms[index] ?? 0)
          // share - 1/2 <= quotient < share + 1/2
          if (sum === 0) expect(share).toBe(0)
          else expect((2 * share - 1) * sum <= doubled && doubled < (2 * share + 1) * sum).toBe(true)
          expect(share >= 0 && share <= 255).toBe(true)
        })
      }),
    )
  })

  test('with a table of exp, is what real numbers give, but for rounding', () => {
    const rows = fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 1, maxLength: 30 })
    const table = tensor('u32', [256], Array.from(softmaxTable(1 / 16)))
    fc.assert(
      fc.property(rows, (x) => {
        const weights = x.map((entry) => Math.exp(entry / 16))
        const sum = weights.reduce((left, right) => left + right)
        const y = entriesOf(run('softmax', {}, tensor('i8', [x.length], x), table))
        y.forEach((share, index) => {
          expect(Math.abs(share - (255 * (weights[index] ?? 0)) / sum)).toBeLessThan(0.6)
        })
      }),
    )
  })

  test('its result is what inference says', () => {
    const result = infer('softmax', {}, value('i32', [2, 3]), value('u32', [256], { min: 0, max: 9 }))
    expect(result).toEqual({ dtype: 'u8', shape: [2, 3], min: 0, max: 255 })
  })

  const weights = value('u32', [256], { min: 0, max: 65_535 })
  const refused = [
    { desc: 'u32', operands: [value('u32', [4]), weights], says: 'x is u32[4], expected i8, u8 or i32' },
    {
      desc: 'a table of i32',
      operands: [value('i8', [4]), value('i32', [256], { min: 0, max: 1 })],
      says: 'table is i32[256], expected u32[256]',
    },
    {
      desc: 'a table of 255',
      operands: [value('i8', [4]), value('u32', [255], { min: 0, max: 1 })],
      says: 'table is u32[255], expected u32[256]',
    },
    {
      desc: 'a table that is a matrix',
      operands: [value('i8', [4]), value('u32', [256, 1], { min: 0, max: 1 })],
      says: 'table is u32[256,1], expected u32[256]',
    },
    {
      desc: 'weights of 17 bits',
      operands: [value('i8', [4]), value('u32', [256], { min: 0, max: 65_536 })],
      says: 'table could hold 65536, the limit is 65535',
    },
    {
      desc: 'rows whose sum could leave 31 bits',
      operands: [value('i8', [32_769]), weights],
      says: 'a row of 32769 could sum to 2147516415, the limit is 2147483647',
    },
  ]
  for (const { desc, operands, says } of refused) {
    test(`refuses ${desc}`, () => expect(refusal('softmax', {}, ...operands)).toBe(says))
  }

  test('accepts the longest row', () => {
    expect(refusal('softmax', {}, value('i8', [32_768]), weights)).toBe('accepted')
  })
})
