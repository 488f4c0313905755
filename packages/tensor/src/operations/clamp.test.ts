import { expect, test } from 'bun:test'
import { entriesOf, infer, refusal, run, tensor, value } from '../../test/alone.ts'

test('relu leaves what is above zero', () => {
  expect(run('relu', {}, tensor('i8', [4], [-128, -1, 0, 127]))).toEqual(tensor('i8', [4], [0, 0, 0, 127]))
  expect(entriesOf(run('relu', {}, tensor('i32', [2], [-(2 ** 31), 2 ** 31 - 1])))).toEqual([0, 2 ** 31 - 1])
  expect(infer('relu', {}, value('i8', [1], { min: -9, max: -3 }))).toEqual(
    value('i8', [1], { min: 0, max: 0 }),
  )
  expect(infer('relu', {}, value('i8', [1], { min: 2, max: 3 }))).toEqual(
    value('i8', [1], { min: 2, max: 3 }),
  )
})

test('relu refuses kinds that are never below zero', () => {
  expect(refusal('relu', {}, value('u8', [3]))).toBe('x is u8[3], expected i8 or i32')
})

test('clamp brings entries into the interval', () => {
  const x = tensor('u32', [3], [0, 6, 2 ** 32 - 1])
  expect(run('clamp', { min: 1, max: 2 ** 32 - 2 }, x)).toEqual(tensor('u32', [3], [1, 6, 2 ** 32 - 2]))
  expect(entriesOf(run('clamp', { min: -3, max: -3 }, tensor('i8', [2], [5, -5])))).toEqual([-3, -3])
})

test('the interval that remains is what both allow, or the nearest end', () => {
  const x = value('i8', [1], { min: -50, max: 20 })
  expect(infer('clamp', { min: -10, max: 100 }, x)).toMatchObject({ min: -10, max: 20 })
  expect(infer('clamp', { min: 30, max: 100 }, x)).toMatchObject({ min: 30, max: 30 })
  expect(infer('clamp', { min: -128, max: -60 }, x)).toMatchObject({ min: -60, max: -60 })
})

const refused = [
  { dtype: 'i8', min: 3, max: 2, says: 'the interval 3 to 2 is none of i8, which holds -128 to 127' },
  { dtype: 'i8', min: 0, max: 128, says: 'the interval 0 to 128 is none of i8, which holds -128 to 127' },
  { dtype: 'u8', min: -1, max: 9, says: 'the interval -1 to 9 is none of u8, which holds 0 to 255' },
] as const
for (const { dtype, min, max, says } of refused) {
  test(`clamp refuses: ${says}`, () => expect(refusal('clamp', { min, max }, value(dtype, [1]))).toBe(says))
}
