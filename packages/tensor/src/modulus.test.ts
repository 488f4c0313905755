import { expect, test } from 'bun:test'
import { value } from '../test/alone.ts'
import { checkedSum, checkModulus, refuseWidth } from './modulus.ts'

test('the modulus is a prime', () => {
  for (let divisor = 2; divisor * divisor <= checkModulus; divisor++) {
    if (checkModulus % divisor === 0) throw new Error(`${divisor} divides it`)
  }
  expect(checkModulus).toBe(2_147_483_647)
})

test('two entries of an interval that passes are never equal modulo it', () => {
  expect(refuseWidth({ min: -5, max: checkModulus - 6 }, 'split it')).toBeUndefined()
  expect(refuseWidth({ min: -5, max: checkModulus - 5 }, 'split it')).toEqual({
    broken:
      'sums could be -5 to 2147483642, a width of 2147483647; a check needs less than 2147483647: split it',
  })
})

test('a refusal that came before stands', () => {
  expect(checkedSum({ broken: 'too large' }, 'split it')).toEqual({ broken: 'too large' })
  expect(checkedSum(value('i32', [1], { min: 0, max: 9 }), 'split it')).toEqual(
    value('i32', [1], { min: 0, max: 9 }),
  )
  expect(checkedSum(value('i32', [1]), 'split it')).toHaveProperty('broken')
})
