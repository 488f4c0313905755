import { expect, test } from 'bun:test'
import { infer, refusal, run, tensor, value } from '../../test/alone.ts'

test('keeps the entries and their order', () => {
  const x = tensor('u32', [2, 3], [1, 2, 3, 4, 5, 6])
  expect(run('reshape', { shape: [6] }, x)).toEqual(tensor('u32', [6], [1, 2, 3, 4, 5, 6]))
  expect(run('reshape', { shape: [1, 3, 1, 2] }, x).shape).toEqual([1, 3, 1, 2])
  expect(infer('reshape', { shape: [6] }, value('i8', [2, 3], { min: 1, max: 2 }))).toEqual(
    value('i8', [6], { min: 1, max: 2 }),
  )
})

const x = value('i8', [2, 3])
const huge = 2 ** 31 - 1
const refused = [
  { shape: [5], says: '[5] has 5 entries, x is i8[2,3] with 6' },
  { shape: [], says: '[] has 1 entries, x is i8[2,3] with 6' },
  {
    shape: Array(6).fill(huge),
    says: `[${Array(6).fill(huge)}] has 9.807971434138533e+55 entries, x is i8[2,3] with 6`,
  },
]
for (const { shape, says } of refused) {
  test(`refuses: ${says}`, () => expect(refusal('reshape', { shape }, x)).toBe(says))
}

test('one entry has a shape too', () => {
  expect(refusal('reshape', { shape: [] }, value('i8', [1]))).toBe(
    'the result would have 0 dimensions, allowed is 1 to 6',
  )
})
