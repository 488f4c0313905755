import { expect, test } from 'bun:test'
import { infer, refusal, run, tensor, value } from '../../test/alone.ts'

const table = tensor('i32', [3, 2], [1, 2, 3, 4, 5, 6])

test('reads rows in the order of the indices, of any kind', () => {
  for (const dtype of ['i8', 'u8', 'i32', 'u32'] as const) {
    expect(run('gather', {}, table, tensor(dtype, [2, 2], [2, 0, 1, 2]))).toEqual(
      tensor('i32', [2, 2, 2], [5, 6, 1, 2, 3, 4, 5, 6]),
    )
  }
})

test('rows have any number of dimensions, none included', () => {
  const indices = tensor('u8', [3], [1, 1, 0])
  expect(run('gather', {}, tensor('u8', [2], [9, 8]), indices)).toEqual(tensor('u8', [3], [8, 8, 9]))
  expect(run('gather', {}, tensor('u8', [2, 1, 2], [1, 2, 3, 4]), indices).shape).toEqual([3, 1, 2])
})

test('the interval is the table’s', () => {
  const rows = value('i8', [4, 8], { min: -3, max: 5 })
  expect(infer('gather', {}, rows, value('u8', [2], { min: 0, max: 3 }))).toEqual(
    value('i8', [2, 8], { min: -3, max: 5 }),
  )
})

const rows = value('i8', [4, 8])
const refused = [
  {
    indices: value('u8', [2]),
    says: 'indices could be 0 to 255, table is i8[4,8] and has the rows 0 to 3',
  },
  {
    indices: value('u8', [2], { min: 0, max: 4 }),
    says: 'indices could be 0 to 4, table is i8[4,8] and has the rows 0 to 3',
  },
  {
    indices: value('i32', [2], { min: -1, max: 3 }),
    says: 'indices could be -1 to 3, table is i8[4,8] and has the rows 0 to 3',
  },
  {
    indices: value('u8', [1, 1, 1, 1, 1, 1], { min: 0, max: 3 }),
    says: 'the result would have 7 dimensions, allowed is 1 to 6',
  },
]
for (const { indices, says } of refused) {
  test(`refuses: ${says}`, () => expect(refusal('gather', {}, rows, indices)).toBe(says))
}
