import { expect, test } from 'bun:test'
import { baseOrder, fieldOrder, seed } from './orders.ts'

test('both primes come from the seed', () => {
  const shared = 36n * seed ** 4n + 36n * seed ** 3n + 6n * seed + 1n
  expect(baseOrder).toBe(shared + 24n * seed ** 2n)
  expect(fieldOrder).toBe(shared + 18n * seed ** 2n)
})
