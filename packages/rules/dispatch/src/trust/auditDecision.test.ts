import { expect, test } from 'bun:test'
import type { MicroCredit } from '@shardy/protocol'
import { type AuditDecision, type AuditQuestion, auditDecision } from './auditDecision.ts'
import { auditThreshold, drawValues } from './auditProbability.ts'
import { defaultTrustPolicy } from './policy.ts'

const microCredit = (value: bigint) => value as MicroCredit
const question: AuditQuestion = {
  freeStakeMicroCredit: microCredit(10_001n),
  taskValueMicroCredit: microCredit(1n),
  examination: 'reexecution',
  draw: 0,
}
const stakeMicroCredit = microCredit(5_000n)
const threshold = auditThreshold(microCredit(1n), stakeMicroCredit, defaultTrustPolicy)

const table: readonly (Partial<AuditQuestion> & {
  readonly desc: string
  readonly expected: AuditDecision
})[] = [
  { desc: 'the last draw that audits', draw: threshold - 1, expected: { kind: 'audit', stakeMicroCredit } },
  { desc: 'the first that does not', draw: threshold, expected: { kind: 'alone' } },
  {
    desc: 'replicas where only they can tell',
    examination: 'exactReplicas',
    expected: { kind: 'replicate', replicas: 3, stakeMicroCredit },
  },
  {
    desc: 'a trusted worker alone, replicas or not',
    examination: 'exactReplicas',
    draw: drawValues - 1,
    expected: { kind: 'alone' },
  },
  {
    desc: 'floats always replicated, with nothing at stake',
    examination: 'none',
    draw: drawValues - 1,
    expected: { kind: 'replicate', replicas: 3, stakeMicroCredit: microCredit(0n) },
  },
  {
    desc: 'a newcomer always audited',
    freeStakeMicroCredit: microCredit(0n),
    draw: drawValues - 1,
    expected: { kind: 'audit', stakeMicroCredit: microCredit(0n) },
  },
]
for (const { desc, expected, ...about } of table) {
  test(desc, () => {
    expect(auditDecision({ ...question, ...about }, defaultTrustPolicy)).toEqual(expected)
  })
}
