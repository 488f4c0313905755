import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { entriesOf, infer, refusal, run, tensor, value } from '../../test/alone.ts'
import { dtypes } from '../tensor.ts'

describe('topK', () => {
  const x = tensor('i8', [2, 4], [1, 4, 4, 2, -128, -1, -128, 127])

  test('gives the largest, largest first', () => {
    const y = run('topK', { k: 2, result: 'values' }, x)
    expect(y).toEqual(tensor('i8', [2, 2], [4, 4, 127, -1]))
  })

  test('says where they are, among equals the lower index first', () => {
    const y = run('topK', { k: 3, result: 'indices' }, x)
    expect(y).toEqual(tensor('u32', [2, 3], [1, 2, 3, 3, 1, 0]))
  })

  test('all of a row is the row in order', () => {
    expect(entriesOf(run('topK', { k: 4, result: 'indices' }, x))).toEqual([1, 2, 3, 0, 3, 1, 0, 2])
    const one = tensor('i32', [1], [-(2 ** 31)])
    expect(entriesOf(run('topK', { k: 1, result: 'values' }, one))).toEqual([-(2 ** 31)])
  })

  test('the ends of 32 bits are in order', () => {
    const ends = tensor('i32', [3], [-(2 ** 31), 0, 2 ** 31 - 1])
    expect(entriesOf(run('topK', { k: 3, result: 'indices' }, ends))).toEqual([2, 1, 0])
  })

  test('picking one after the other finds the same', () => {
    const cases = fc
      .record({
        dtype: fc.constantFrom(...dtypes),
        entries: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 12 }),
        part: fc.double({ min: 0, max: 1, noNaN: true }),
      })
      .map((made) => ({ ...made, k: 1 + Math.floor(made.part * (made.entries.length - 1)) }))
    fc.assert(
      fc.property(cases, ({ dtype, entries, k }) => {
        const rest: (number | undefined)[] = [...entries]
        const picked = Array.from({ length: k }, () => {
          let best = -1
          rest.forEach((entry, index) => {
            if (entry !== undefined && (best < 0 || entry > (rest[best] ?? 0))) best = index
          })
          rest[best] = undefined
          return best
        })
        const row = tensor(dtype, [entries.length], entries)
        expect(entriesOf(run('topK', { k, result: 'indices' }, row))).toEqual(picked)
        const values = picked.map((index) => entries[index] ?? Number.NaN)
        expect(entriesOf(run('topK', { k, result: 'values' }, row))).toEqual(values)
      }),
    )
  })

  test('its result is what inference says', () => {
    const narrow = value('i32', [2, 7], { min: -3, max: 5 })
    expect(infer('topK', { k: 7, result: 'values' }, narrow)).toEqual({ ...narrow, shape: [2, 7] })
    const indices = { dtype: 'u32', shape: [2, 1], min: 0, max: 6 } as const
    expect(infer('topK', { k: 1, result: 'indices' }, narrow)).toEqual(indices)
  })

  test('refuses more than a row has', () => {
    const says = 'k is 8, but x is i8[2,7]'
    expect(refusal('topK', { k: 8, result: 'values' }, value('i8', [2, 7]))).toBe(says)
  })
})
