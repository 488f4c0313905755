import { expect, test } from 'bun:test'
import { infer, known, refusal, run, tensor, value } from '../../test/alone.ts'

const squares = tensor(
  'i32',
  [256],
  Array.from({ length: 256 }, (_, index) => (index - 128) ** 2),
)

test('an i8 entry counts from the table’s middle, a u8 entry from its start', () => {
  expect(run('lookup', {}, tensor('i8', [2, 2], [-128, -1, 0, 127]), squares)).toEqual(
    tensor('i32', [2, 2], [16_384, 1, 0, 16_129]),
  )
  expect(run('lookup', {}, tensor('u8', [3], [0, 128, 255]), squares)).toEqual(
    tensor('i32', [3], [16_384, 0, 16_129]),
  )
})

test('the interval is that of the entries which can be reached, where they are known', () => {
  const x = value('i8', [5], { min: -3, max: 2 })
  expect(infer('lookup', {}, x, known(squares))).toEqual(value('i32', [5], { min: 0, max: 9 }))
  expect(infer('lookup', {}, value('u8', [5], { min: 0, max: 1 }), known(squares))).toEqual(
    value('i32', [5], { min: 16_129, max: 16_384 }),
  )
})

test('a table that is not known gives what it was declared to hold', () => {
  const table = value('u8', [256], { min: 4, max: 70 })
  expect(infer('lookup', {}, value('i8', [5], { min: 0, max: 0 }), table)).toEqual(
    value('u8', [5], { min: 4, max: 70 }),
  )
})

const table = value('i8', [256])
const refused = [
  { x: value('i32', [3]), table, says: 'x is i32[3], expected i8 or u8' },
  { x: value('i8', [3]), table: value('i8', [255]), says: 'table is i8[255], expected i8[256]' },
  { x: value('i8', [3]), table: value('u32', [1, 256]), says: 'table is u32[1,256], expected u32[256]' },
]
for (const { x, table, says } of refused) {
  test(`refuses: ${says}`, () => expect(refusal('lookup', {}, x, table)).toBe(says))
}
