import { expect, test } from 'bun:test'
import type { DurationMs } from '@shardy/protocol'
import { assertPolicy, type DispatchPolicy, defaultPolicy } from './policy.ts'

const faults: readonly (readonly [string, Partial<DispatchPolicy>])[] = [
  ['attemptsMax', { attemptsMax: 0 }],
  ['attemptsMax', { attemptsMax: 65 }],
  ['backoffMsMin', { backoffMsMin: 0 as DurationMs }],
  ['heldBytesMax', { heldBytesMax: 1 }],
  ['trust.boundPpm', { trust: { ...defaultPolicy.trust, boundPpm: 1_000_000 } }],
]
for (const [field, about] of faults) {
  test(`${field} out of its bounds is refused by name`, () => {
    expect(() => assertPolicy({ ...defaultPolicy, ...about })).toThrow(field)
  })
}

test('the default policy is within its bounds', () => {
  assertPolicy(defaultPolicy)
})
