import { describe, expect, test } from 'bun:test'
import { entriesOf, infer, refusal, run, tensor, value } from '../../test/alone.ts'
import { matmulLayout } from './matmul.ts'

const plain = { transposeB: false }

test('rows times columns, whichever way B lies', () => {
  const a = tensor('i8', [2, 3], [1, 2, 3, -4, -5, -6])
  const b = tensor('i8', [3, 2], [7, 10, 8, 11, 9, 12])
  const transposed = tensor('i8', [2, 3], [7, 8, 9, 10, 11, 12])
  expect(entriesOf(run('matmul', plain, a, b))).toEqual([50, 68, -122, -167])
  expect(run('matmul', { transposeB: true }, a, transposed)).toEqual(run('matmul', plain, a, b))
})

test('a batch has a B of its own, or one for all', () => {
  const a = tensor('u8', [2, 1, 2], [1, 2, 255, 255])
  const own = tensor('i8', [2, 2, 1], [3, 4, -128, -128])
  const shared = tensor('i8', [2, 1], [1, -1])
  expect(run('matmul', plain, a, own)).toMatchObject({ shape: [2, 1, 1], data: Int32Array.of(11, -65_280) })
  expect(run('matmul', plain, a, shared)).toMatchObject({ shape: [2, 1, 1], data: Int32Array.of(-1, 0) })
  expect(matmulLayout(a, shared, false)).toEqual({ batch: 1, m: 2, k: 2, n: 1, sharedB: true })
  expect(matmulLayout(a, own, false)).toEqual({ batch: 2, m: 1, k: 2, n: 1, sharedB: false })
})

describe('the interval of the sums', () => {
  test('is that of k products', () => {
    const narrow = value('i8', [3, 4], { min: -2, max: 3 })
    expect(infer('matmul', plain, value('i8', [1, 3]), narrow)).toEqual(
      value('i32', [1, 4], { min: -1_152, max: 1_143 }),
    )
  })

  const longest = [
    { dtype: 'i8', k: 65_793 },
    { dtype: 'u8', k: 33_025 },
  ] as const
  for (const { dtype, k } of longest) {
    test(`stays below the modulus of the check up to k = ${k} for ${dtype} · i8`, () => {
      const fits = infer('matmul', plain, value(dtype, [1, k]), value('i8', [k, 1]))
      expect(fits.max - fits.min).toBeLessThan(2 ** 31 - 1)
      expect(refusal('matmul', plain, value(dtype, [1, k + 1]), value('i8', [k + 1, 1]))).toMatch(
        /^sums could be -\d+ to \d+, a width of \d+; a check needs less than 2147483647: split k = \d+ and/,
      )
    })
  }

  test('overflows int32 before it is too wide, where all products have one sign', () => {
    const high = { min: 120, max: 127 }
    expect(refusal('matmul', plain, value('i8', [1, 150_000], high), value('i8', [150_000, 1], high))).toBe(
      'entries could be 2160000000 to 2419350000, which overflows i32',
    )
  })
})

const i8 = (...shape: number[]) => value('i8', shape)
const refused = [
  { a: value('i32', [2, 3]), b: i8(3, 2), says: 'a is i32[2,3], expected i8 or u8' },
  { a: i8(2, 3), b: value('u8', [3, 2]), says: 'b is u8[3,2], expected i8' },
  { a: i8(3), b: i8(3, 2), says: 'a is i8[3], expected two dimensions or more' },
  { a: i8(2, 3), b: i8(3), says: 'b is i8[3], expected two dimensions or more' },
  { a: i8(2, 3), b: i8(4, 2), says: 'a has rows of 3, b has columns of 4' },
  {
    a: i8(5, 2, 3),
    b: i8(4, 3, 2),
    says: 'b is i8[4,3,2]: its leading dimensions are not those of a, i8[5,2,3]',
  },
  {
    a: i8(2, 3),
    b: i8(1, 3, 2),
    says: 'b is i8[1,3,2]: its leading dimensions are not those of a, i8[2,3]',
  },
  {
    a: i8(2 ** 15, 1),
    b: i8(1, 2 ** 15),
    says: 'the result i32[32768,32768] has 4294967296 bytes, the limit is 268435456',
  },
]
for (const { a, b, says } of refused) {
  test(`refuses: ${says}`, () => expect(refusal('matmul', plain, a, b)).toBe(says))
}

test('a B of one dimension is refused also when it would fit transposed', () => {
  expect(refusal('matmul', { transposeB: true }, i8(2, 3), i8(3))).toBe(
    'b is i8[3], expected two dimensions or more',
  )
})
