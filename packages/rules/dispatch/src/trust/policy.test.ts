import { expect, test } from 'bun:test'
import type { DurationMs, MicroCredit } from '@shardy/protocol'
import { checkedTrustPolicy, defaultTrustPolicy, type TrustPolicy } from './policy.ts'

test('the default is usable', () => {
  expect(checkedTrustPolicy(defaultTrustPolicy)).toBeUndefined()
})

const table: readonly (Partial<TrustPolicy> & { readonly desc: string })[] = [
  { desc: 'a bound at which cheating pays', boundPpm: 1_000_000 },
  { desc: 'a bound that is no whole number', boundPpm: 0.5 },
  { desc: 'a negative bound', boundPpm: -1 },
  { desc: 'a bound that is no number', boundPpm: Number.NaN },
  { desc: 'more audits than results', leastAuditPpm: 1_000_001 },
  { desc: 'no part of the stake', stakeParts: 0 },
  { desc: 'one replica, which agrees with itself', replicas: 1 },
  { desc: 'no hold', holdMs: 0 as DurationMs },
  {
    desc: 'forgiveness before the hold ends',
    forgivenAfterMs: (defaultTrustPolicy.holdMs - 1) as DurationMs,
  },
  { desc: 'no clean audits', cleanAudits: 0 },
  { desc: 'a slash of more than all', quarantineSlashPpm: 1_000_001 },
  { desc: 'a ban at the first offence', banAfterOffences: 1 },
  { desc: 'a task worth nothing', leastTaskValueMicroCredit: 0n as MicroCredit },
]

for (const { desc, ...about } of table) {
  test(`refuses ${desc}, by name`, () => {
    const fault = checkedTrustPolicy({ ...defaultTrustPolicy, ...about })
    const [field] = Object.keys(about)
    expect(fault).toMatchObject({ kind: 'trustPolicyFault', field: field as keyof TrustPolicy })
  })
}
