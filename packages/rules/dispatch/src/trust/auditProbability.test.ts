import { describe, expect, test } from 'bun:test'
import type { MicroCredit } from '@shardy/protocol'
import fc from 'fast-check'
import { auditProbability, auditThreshold, drawValues } from './auditProbability.ts'
import { defaultTrustPolicy } from './policy.ts'

const microCredit = (value: bigint) => value as MicroCredit
const amounts = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(microCredit)
const values = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(microCredit)
const bounds = fc.integer({ min: 0, max: 999_999 })

describe('how likely a result is audited (A4)', () => {
  const table = [
    { desc: 'always where nothing is at stake', value: 1n, stake: 0n, ppm: 1_000, expected: 1 },
    { desc: 'always where no loss is allowed', value: 1n, stake: 10n ** 12n, ppm: 0, expected: 1 },
    { desc: 'half when the bound allows one', value: 1n, stake: 1_000n, ppm: 1_000, expected: 0.5 },
    { desc: 'by the value of the task', value: 3n, stake: 1_000n, ppm: 1_000, expected: 0.75 },
    { desc: 'never less than the least', value: 1n, stake: 2n ** 64n - 1n, ppm: 1_000, expected: 0.001 },
  ]
  for (const { desc, value, stake, ppm, expected } of table) {
    test(desc, () => {
      const policy = { ...defaultTrustPolicy, boundPpm: ppm, leastAuditPpm: 1_000 }
      const probability = auditProbability(microCredit(value), microCredit(stake), policy)
      expect(probability).toBeCloseTo(expected, 9)
    })
  }

  test('a bad result never gains more than it risks, in exact numbers', () => {
    fc.assert(
      fc.property(values, amounts, bounds, (value, stake, boundPpm) => {
        const policy = { ...defaultTrustPolicy, boundPpm, leastAuditPpm: 0 }
        const audited = BigInt(auditThreshold(value, stake, policy))
        const alone = BigInt(drawValues) - audited
        expect(alone * value * 1_000_000n <= audited * BigInt(boundPpm) * stake).toBe(true)
        // And it is the least that does it: one draw fewer would break the bound.
        if (audited > 1n) {
          const gain = (alone + 1n) * value * 1_000_000n
          expect(gain > (audited - 1n) * BigInt(boundPpm) * stake).toBe(true)
        }
      }),
    )
  })

  test('a task of no value counts as the least, a negative stake is a bug', () => {
    const policy = { ...defaultTrustPolicy, leastTaskValueMicroCredit: microCredit(5n) }
    const stake = microCredit(10_000n)
    expect(auditThreshold(microCredit(0n), stake, policy)).toBe(
      auditThreshold(microCredit(5n), stake, policy),
    )
    expect(() => auditThreshold(microCredit(1n), microCredit(-1n), policy)).toThrow(RangeError)
  })
})
