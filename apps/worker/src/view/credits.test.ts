import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { formatCredits } from './credits.ts'

test.each([
  [0n, '0'],
  [1n, '0.000001'],
  [10n, '0.00001'],
  [999_999n, '0.999999'],
  [1_000_000n, '1'],
  [1_500_000n, '1.5'],
  [999_000_000n, '999'],
  [1_234_500_000n, '1,234.5'],
  [1_000_000_000_000n, '1,000,000'],
  [9_007_199_254_740_993_000_001n, '9,007,199,254,740,993.000001'],
  [-1n, '-0.000001'],
  [-1_234_500_000n, '-1,234.5'],
])('%p micro-credits are %p credits', (microCredit, text) => {
  expect(formatCredits(microCredit)).toBe(text)
})

test('no digit is lost: the amount can be read back', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 80n }), (microCredit) => {
      const [whole = '', fraction = ''] = formatCredits(microCredit).replaceAll(',', '').split('.')
      expect(BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))).toBe(microCredit)
    }),
  )
})
