import { expect, test } from 'bun:test'
import { infer, refusal, run, tensor, value } from '../../test/alone.ts'

test('adds one number to each channel', () => {
  const x = tensor('i32', [2, 3], [1, 2, 3, -1, -2, -3])
  expect(run('bias', {}, x, tensor('i32', [3], [10, 20, 30]))).toEqual(
    tensor('i32', [2, 3], [11, 22, 33, 9, 18, 27]),
  )
})

test('reaches the ends of int32 and no further', () => {
  const x = value('i32', [4], { min: -(2 ** 31) + 5, max: 2 ** 31 - 6 })
  expect(infer('bias', {}, x, value('i32', [4], { min: -5, max: 5 }))).toEqual(value('i32', [4]))
  expect(refusal('bias', {}, x, value('i32', [4], { min: -5, max: 6 }))).toBe(
    'entries could be -2147483648 to 2147483648, which overflows i32',
  )
  expect(refusal('bias', {}, x, value('i32', [4], { min: -6, max: 5 }))).toBe(
    'entries could be -2147483649 to 2147483647, which overflows i32',
  )
})

const x = value('i32', [2, 3], { min: 0, max: 9 })
const refused = [
  { x: value('i8', [2, 3]), b: value('i32', [3]), says: 'x is i8[2,3], expected i32' },
  { x, b: value('i32', [2]), says: 'b is i32[2], expected i32[3]' },
  { x, b: value('i32', [1, 3]), says: 'b is i32[1,3], expected i32[3]' },
  { x, b: value('i8', [3]), says: 'b is i8[3], expected i32[3]' },
]
for (const { x, b, says } of refused) {
  test(`refuses: ${says}`, () => expect(refusal('bias', {}, x, b)).toBe(says))
}
