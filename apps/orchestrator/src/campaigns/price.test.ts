import { expect, test } from 'bun:test'
import type { MicroCredit } from '@shardy/protocol'
import fc from 'fast-check'
import { costOf, rewardWithin } from './price.ts'

test('reward and fee together cost no more than was allowed, and one more would', () => {
  const amounts = fc.bigInt({ min: 0n, max: 10n ** 15n })
  fc.assert(
    fc.property(amounts, fc.integer({ min: 0, max: 1000 }), (cost, feePermille) => {
      const reward = rewardWithin(cost as MicroCredit, feePermille)
      expect(reward).toBeGreaterThanOrEqual(0n)
      expect(costOf(reward, feePermille)).toBeLessThanOrEqual(cost)
      expect(costOf((reward + 1n) as MicroCredit, feePermille)).toBeGreaterThan(cost)
    }),
    { numRuns: 2_000 },
  )
})
