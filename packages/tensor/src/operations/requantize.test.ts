import { describe, expect, test } from 'bun:test'
import { entriesOf, infer, refusal, run, tensor, value } from '../../test/alone.ts'
import { requantized } from './requantize.ts'

const half = { multiplier: 1, shift: 1, zeroPoint: 0, to: 'i8' }

test('halves round upward, also below zero', () => {
  const x = tensor('i32', [6], [-5, -3, -1, 1, 3, 5])
  expect(entriesOf(run('requantize', half, x))).toEqual([-2, -1, 0, 1, 2, 3])
})

test('saturates at the ends of its kind, after the zero point', () => {
  const x = tensor('i32', [4], [-400, -1, 255, 400])
  const shifted = { ...half, shift: 0, zeroPoint: 3 }
  expect(entriesOf(run('requantize', { ...shifted, to: 'i8' }, x))).toEqual([-128, 2, 127, 127])
  expect(entriesOf(run('requantize', { ...shifted, to: 'u8' }, x))).toEqual([0, 2, 255, 255])
  expect(entriesOf(run('requantize', { ...shifted, to: 'i32' }, x))).toEqual([-397, 2, 258, 403])
})

const [lowest, highest] = [-(2 ** 31), 2 ** 31 - 1]
const extremes = [
  { x: lowest, multiplier: lowest, shift: 62, gives: 1 },
  { x: lowest, multiplier: lowest, shift: 61, gives: 2 },
  { x: lowest, multiplier: lowest, shift: 0, gives: highest },
  { x: lowest, multiplier: highest, shift: 0, gives: lowest },
  { x: lowest, multiplier: highest, shift: 62, gives: -1 },
  { x: highest, multiplier: highest, shift: 31, gives: 2 ** 31 - 2 },
  { x: 1, multiplier: 1, shift: 62, gives: 0 },
  { x: -1, multiplier: 1, shift: 1, gives: 0 },
  // A half goes up to one, a quarter down to zero.
  { x: 2 ** 30, multiplier: 2 ** 30, shift: 61, gives: 1 },
  { x: 2 ** 30, multiplier: 2 ** 30, shift: 62, gives: 0 },
]
describe('at the ends of 64 bits', () => {
  for (const { x, multiplier, shift, gives } of extremes) {
    test(`${x} · ${multiplier} >> ${shift}`, () => {
      expect(requantized(x, multiplier, shift, 0, 'i32')).toBe(gives)
    })
  }
})

test('the interval follows the multiplier, whose sign may turn it', () => {
  const x = value('i32', [2], { min: -100, max: 50 })
  const scaled = { multiplier: -3, shift: 2, zeroPoint: 10, to: 'i8' }
  expect(infer('requantize', scaled, x)).toEqual(value('i8', [2], { min: -27, max: 85 }))
  expect(infer('requantize', { ...scaled, multiplier: 0 }, x)).toEqual(value('i8', [2], { min: 10, max: 10 }))
  expect(infer('requantize', { ...scaled, multiplier: 2 ** 30 }, x)).toEqual(value('i8', [2]))
})

test('per channel, each has its factor', () => {
  const x = tensor('i32', [2, 3], [100, 100, 100, -7, -7, -7])
  const multipliers = tensor('i32', [3], [1, 2, -1])
  const shifts = tensor('u8', [3], [1, 0, 62])
  const result = run('requantizeChannels', { zeroPoint: 1, to: 'u8' }, x, multipliers, shifts)
  expect(result).toEqual(tensor('u8', [2, 3], [51, 201, 1, 0, 0, 1]))
})

describe('refuses', () => {
  const i32 = value('i32', [2, 3])
  const [multipliers, shifts] = [value('i32', [3]), value('u8', [3], { min: 0, max: 62 })]
  const perChannel = { zeroPoint: 0, to: 'i8' }

  test('anything but int32', () => {
    expect(refusal('requantize', half, value('i8', [2]))).toBe('x is i8[2], expected i32')
    expect(refusal('requantizeChannels', perChannel, value('u32', [2, 3]), multipliers, shifts)).toBe(
      'x is u32[2,3], expected i32',
    )
  })

  const refused = [
    { multipliers: value('i8', [3]), says: 'multipliers is i8[3], expected i32[3]' },
    { multipliers: value('i32', [2]), says: 'multipliers is i32[2], expected i32[3]' },
    { multipliers: value('i32', [1, 3]), says: 'multipliers is i32[1,3], expected i32[3]' },
    { shifts: value('i8', [3]), says: 'shifts is i8[3], expected u8[3]' },
    { shifts: value('u8', [6]), says: 'shifts is u8[6], expected u8[3]' },
    { shifts: value('u8', [3, 1]), says: 'shifts is u8[3,1], expected u8[3]' },
    { shifts: value('u8', [3], { min: 0, max: 63 }), says: 'shifts could be 63, allowed is 0 to 62' },
  ]
  for (const { says, ...operands } of refused) {
    test(says, () => {
      const given = { multipliers, shifts, ...operands }
      expect(refusal('requantizeChannels', perChannel, i32, given.multipliers, given.shifts)).toBe(says)
    })
  }
})
