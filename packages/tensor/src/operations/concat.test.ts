import { expect, test } from 'bun:test'
import { infer, refusal, run, tensor, value } from '../../test/alone.ts'

const one = tensor('i8', [2, 2], [1, 2, 3, 4])
const other = tensor('i8', [2, 1], [5, 6])

test('sets tensors one after the other along an axis', () => {
  expect(run('concat', { axis: 1 }, one, other, one)).toEqual(
    tensor('i8', [2, 5], [1, 2, 5, 1, 2, 3, 4, 6, 3, 4]),
  )
  expect(run('concat', { axis: 0 }, one, one)).toEqual(tensor('i8', [4, 2], [1, 2, 3, 4, 1, 2, 3, 4]))
  expect(run('concat', { axis: 0 }, other)).toEqual(other)
})

test('the interval holds those of all', () => {
  const low = value('i8', [2], { min: -9, max: -3 })
  const high = value('i8', [3], { min: 5, max: 6 })
  expect(infer('concat', { axis: 0 }, low, high)).toEqual(value('i8', [5], { min: -9, max: 6 }))
})

const first = value('i8', [2, 3])
const refused = [
  { xs: [], axis: 0, says: 'xs is empty, expected one operand or more' },
  { xs: [first], axis: 2, says: 'axis is 2, xs[0] is i8[2,3]' },
  {
    xs: [first, value('u8', [2, 3])],
    axis: 0,
    says: 'xs[1] is u8[2,3], which differs from xs[0], i8[2,3], in more than axis 0',
  },
  {
    xs: [first, first, value('i8', [2, 4])],
    axis: 0,
    says: 'xs[2] is i8[2,4], which differs from xs[0], i8[2,3], in more than axis 0',
  },
  {
    xs: [first, value('i8', [2])],
    axis: 0,
    says: 'xs[1] is i8[2], which differs from xs[0], i8[2,3], in more than axis 0',
  },
  {
    xs: [value('i8', [2 ** 27]), value('i8', [2 ** 27]), value('i8', [1])],
    axis: 0,
    says: 'the result i8[268435457] has 268435457 bytes, the limit is 268435456',
  },
]
for (const { xs, axis, says } of refused) {
  test(`refuses: ${says}`, () => expect(refusal('concat', { axis }, ...xs)).toBe(says))
}
