import { expect, test } from 'bun:test'
import { refusal, run, tensor, value } from '../../test/alone.ts'

test('keeps the numbers', () => {
  expect(run('convert', { to: 'u32' }, tensor('i8', [2], [0, 127]))).toEqual(tensor('u32', [2], [0, 127]))
  expect(run('convert', { to: 'i8' }, tensor('u32', [2], [0, 127]))).toEqual(tensor('i8', [2], [0, 127]))
  expect(run('convert', { to: 'i32' }, tensor('i8', [2], [-128, 127]))).toEqual(
    tensor('i32', [2], [-128, 127]),
  )
})

test('refuses a kind that does not have them all', () => {
  expect(refusal('convert', { to: 'u8' }, value('i8', [2]))).toBe(
    'entries could be -128 to 127, which overflows u8',
  )
  expect(refusal('convert', { to: 'i32' }, value('u32', [2], { min: 0, max: 2 ** 31 }))).toBe(
    'entries could be 0 to 2147483648, which overflows i32',
  )
})
