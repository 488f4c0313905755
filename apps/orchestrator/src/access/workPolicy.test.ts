import { beforeEach, describe, expect, test } from 'bun:test'
import type { PolicyRules } from '@shardy/api'
import { sha256 } from '@shardy/crypto/native'
import type { ProgramId } from '@shardy/protocol'
import { createFailingStore, type FailingStore } from '../../test/failingStore.ts'
import { createManualClock, type ManualClock } from '../../test/manualClock.ts'
import { openMemoryStore } from '../../test/network.ts'
import { type Audit, openAudit } from './audit.ts'
import { defaultPolicyRules, type OfferedWork, openWorkPolicy, type WorkPolicy } from './workPolicy.ts'

let store: FailingStore
let clock: ManualClock
let audit: Audit
let policy: WorkPolicy
const programId = 'ab'.repeat(32) as ProgramId
const work: OfferedWork = { kind: 'program', programId, programBytes: 100, complexity: 1_000 }
const rules = (more: Partial<PolicyRules>): PolicyRules => ({ ...defaultPolicyRules, ...more })

async function open(): Promise<void> {
  audit = await openAudit(store, clock, sha256)
  policy = await openWorkPolicy(store, clock, audit)
}
beforeEach(async () => {
  store = createFailingStore(await openMemoryStore())
  clock = createManualClock()
  await open()
})

test('by default everything may be run that is not beyond measure', () => {
  expect(policy.refuse(work, 'who')).toBeUndefined()
  expect(policy.refuse({ ...work, complexity: 10 ** 14 + 1 }, 'who')).toMatchObject({
    kind: 'taskTooComplex',
  })
})

const refusals: readonly (readonly [Partial<PolicyRules>, Partial<OfferedWork>, object])[] = [
  [{ kindsOff: ['shader'] }, { kind: 'shader' }, { kind: 'kindOff', taskKind: 'shader' }],
  [{ programBytesMax: 99 }, {}, { kind: 'programTooLarge', bytes: 100, bytesMax: 99 }],
  [{ complexityMax: 999 }, {}, { kind: 'taskTooComplex', complexity: 1_000, complexityMax: 999 }],
]
for (const [more, offered, refusal] of refusals) {
  test(`${JSON.stringify(more)} refuses, is kept, and counts no more once it is switched off`, async () => {
    await policy.set(rules(more), {})
    expect(policy.refuse({ ...work, ...offered }, 'who')).toMatchObject(refusal)
    await open()
    expect(policy.refuse({ ...work, ...offered }, 'who')).toMatchObject(refusal)
    await policy.set(rules({ ...more, enforced: false }), {})
    expect(policy.refuse({ ...work, ...offered }, 'who')).toBeUndefined()
    expect((await audit.page(0, 10)).map(({ action }) => action)).toEqual(['policyChanged', 'policyChanged'])
  })
}

test('what one requester hands in within a minute is bounded, and others are not concerned', async () => {
  await policy.set(rules({ complexityPerMinuteMax: 6_000 }), {})
  for (let index = 0; index < 6; index++) expect(policy.refuse(work, 'who')).toBeUndefined()
  const refusal = policy.refuse(work, 'who')
  expect(refusal).toMatchObject({ kind: 'workRateLimited', perMinuteMax: 6_000, retryAfterMs: 10_000 })
  expect(policy.refuse(work, 'another')).toBeUndefined()
  clock.advance(10_000)
  expect(policy.refuse(work, 'who')).toBeUndefined()
  expect(policy.refuse(work, 'who')).toBeDefined()
})

test('what is refused for another reason is not counted as work', async () => {
  await policy.set(rules({ complexityPerMinuteMax: 1_000, programBytesMax: 100 }), {})
  for (let index = 0; index < 5; index++) policy.refuse({ ...work, programBytes: 101 }, 'who')
  expect(policy.refuse(work, 'who')).toBeUndefined()
})

describe('the deny list', () => {
  test('refuses a program with the reason, survives a restart, and can be taken back', async () => {
    await policy.deny({ programId, reason: 'burns devices' }, {})
    expect(policy.refuse(work, 'who')).toEqual({ kind: 'programDenied', programId, reason: 'burns devices' })
    await open()
    expect(policy.refuse(work, 'who')).toMatchObject({ kind: 'programDenied' })
    expect(policy.refuse({ ...work, programId: 'cd'.repeat(32) as ProgramId }, 'who')).toBeUndefined()
    expect([await policy.allow(programId, {}), await policy.allow(programId, {})]).toEqual([true, false])
    await open()
    expect(policy.refuse(work, 'who')).toBeUndefined()
    expect((await audit.page(0, 10)).map(({ action }) => action)).toEqual(['programDenied', 'programAllowed'])
  })

  test('is not changed by what could not be written', async () => {
    store.fail('diskFull', 'deniedPrograms')
    expect(policy.deny({ programId, reason: 'x' }, {})).rejects.toThrow()
    await policy.deny({ programId, reason: 'x' }, {}).catch(() => {})
    expect([policy.deniedCount(), audit.head().sequence]).toEqual([0, 0])
  })

  test('is listed by id, page by page', async () => {
    const ids = ['33', '11', '22'].map((byte) => byte.repeat(32))
    for (const each of ids) await policy.deny({ programId: each, reason: 'x' }, {})
    const first = policy.denied(2, '').map((each) => each.programId as string)
    expect(first).toEqual(['11'.repeat(32), '22'.repeat(32)])
    expect(policy.denied(2, first[1] ?? '').map((each) => each.programId as string)).toEqual([
      '33'.repeat(32),
    ])
  })
})
