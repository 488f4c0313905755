import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { entriesOf, infer, refusal, run, tensor, value } from '../../test/alone.ts'
import { dtypes } from '../tensor.ts'

describe('argmax', () => {
  test('finds the largest of each row', () => {
    const x = tensor('i32', [2, 2, 3], [1, 2, 3, 9, 8, 7, -1, 0, -2, -5, -6, -4])
    const y = run('argmax', {}, x)
    expect(y.shape).toEqual([2, 2])
    expect(entriesOf(y)).toEqual([2, 0, 1, 2])
  })

  test('among equals, the first', () => {
    expect(entriesOf(run('argmax', {}, tensor('i8', [2, 3], [-128, -128, -128, 0, 7, 7])))).toEqual([0, 1])
  })

  test('the ends of 32 bits are in order', () => {
    expect(entriesOf(run('argmax', {}, tensor('i32', [2], [-(2 ** 31), 2 ** 31 - 1])))).toEqual([1])
    expect(entriesOf(run('argmax', {}, tensor('u32', [2], [2 ** 31 - 1, 2 ** 32 - 1])))).toEqual([1])
  })

  test('a vector gives one index, a row of one gives zero', () => {
    expect(run('argmax', {}, tensor('u8', [3], [1, 3, 2])).shape).toEqual([1])
    expect(entriesOf(run('argmax', {}, tensor('u8', [3, 1], [1, 3, 2])))).toEqual([0, 0, 0])
  })

  test('no entry is larger, none before it as large', () => {
    const cases = fc.record({
      dtype: fc.constantFrom(...dtypes),
      rows: fc.integer({ min: 1, max: 4 }),
      n: fc.integer({ min: 1, max: 9 }),
      seed: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 36, maxLength: 36 }),
    })
    fc.assert(
      fc.property(cases, ({ dtype, rows, n, seed }) => {
        const entries = seed.slice(0, rows * n)
        const found = entriesOf(run('argmax', {}, tensor(dtype, [rows, n], entries)))
        found.forEach((index, row) => {
          const best = entries[row * n + index] ?? Number.NaN
          for (let column = 0; column < n; column++) {
            const entry = entries[row * n + column] ?? Number.NaN
            expect(column < index ? entry < best : entry <= best).toBe(true)
          }
        })
      }),
    )
  })

  test('its result is what inference says', () => {
    expect(infer('argmax', {}, value('u32', [2, 7]))).toEqual({ dtype: 'u32', shape: [2], min: 0, max: 6 })
    expect(refusal('argmax', {}, value('i8', [1, 1, 1, 1, 1, 1]))).toBe('accepted')
  })
})
