import { expect, test } from 'bun:test'
import { formatCredits } from './credits.ts'

test.each([
  [0n, '0 test credits'],
  [1n, '0.000001 test credits'],
  [1_500n, '0.0015 test credits'],
  [1_000_000n, '1 test credit'],
  [12_340_000n, '12.34 test credits'],
  [9_007_199_254_740_993_000_001n, '9007199254740993.000001 test credits'],
])('%p', (amount, text) => {
  expect(formatCredits(amount)).toBe(text)
})
