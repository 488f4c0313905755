import { describe, expect, test } from 'bun:test'
import type { MicroCredit, TimeMs } from '@shardy/protocol'
import {
  afterBenchmark,
  afterCleanAudit,
  afterOffence,
  type Conduct,
  type Consequence,
  isQuarantined,
  spotlessConduct,
} from './conduct.ts'
import type { Offence } from './offence.ts'
import { defaultTrustPolicy, type TrustPolicy } from './policy.ts'

const policy: TrustPolicy = { ...defaultTrustPolicy, cleanAudits: 2 }
const lockedMicroCredit = 1_000n as MicroCredit
const at = (ms: number) => ms as TimeMs
const firstMs = 1_000
const afterHoldMs = firstMs + policy.holdMs + 1
const forgivenMs = firstMs + policy.forgivenAfterMs + 1

function convict(conduct: Conduct, atMs: number, about: { kind?: Offence['kind']; boundAtMs?: number } = {}) {
  const { kind = 'wrongResult', boundAtMs = atMs - 1 } = about
  return afterOffence(
    conduct,
    { offence: { kind }, boundAtMs: at(boundAtMs), atMs: at(atMs), lockedMicroCredit },
    policy,
  )
}

function leaveQuarantine(conduct: Conduct): Conduct {
  const bound = at(conduct.lastOffenceAtMs + 1)
  return afterCleanAudit(afterCleanAudit(afterBenchmark(conduct), bound), bound)
}

const first = convict(spotlessConduct, firstMs)
const back = leaveQuarantine(first.conduct)

describe('the ladder', () => {
  const table: readonly [string, { consequence: Consequence }, Consequence['kind'], bigint | undefined][] = [
    ['a first wrong result is unpaid, and the stake is held', first, 'unpaidAndQuarantine', undefined],
    [
      'a first equivocation is slashed',
      convict(spotlessConduct, firstMs, { kind: 'equivocation' }),
      'slash',
      1_000n,
    ],
    [
      'a first forged copy is slashed',
      convict(spotlessConduct, firstMs, { kind: 'forgedCopy' }),
      'slash',
      1_000n,
    ],
    [
      'what was bound before the conviction is the same incident',
      convict(first.conduct, 2_000, { boundAtMs: firstMs }),
      'unpaid',
      undefined,
    ],
    [
      'but not when it is manufactured',
      convict(first.conduct, 2_000, { boundAtMs: firstMs, kind: 'equivocation' }),
      'slash',
      1_000n,
    ],
    ['a second in quarantine costs a part', convict(first.conduct, 2_000), 'slash', 100n],
    ['a second out of quarantine costs all', convict(back, 2_000), 'slash', 1_000n],
    ['a second after the hold costs all', convict(back, afterHoldMs), 'slash', 1_000n],
    [
      'one that is long after the last is a first one',
      convict(back, forgivenMs),
      'unpaidAndQuarantine',
      undefined,
    ],
  ]
  for (const [desc, { consequence }, kind, amount] of table) {
    test(desc, () => {
      expect(consequence.kind).toBe(kind)
      if ('amountMicroCredit' in consequence)
        expect<bigint | undefined>(consequence.amountMicroCredit).toBe(amount)
    })
  }

  test('the fourth that is not forgiven is the last', () => {
    let { conduct } = first
    for (const [nowMs, kind] of [
      [2_000, 'slash'],
      [3_000, 'slash'],
      [4_000, 'banned'],
      [5_000, 'banned'],
    ] as const) {
      const next = convict(conduct, nowMs)
      expect(next.consequence.kind).toBe(kind)
      conduct = next.conduct
    }
    expect(isQuarantined(leaveQuarantine(conduct))).toBe(true)
  })

  test('a ban is not forgiven', () => {
    const banned: Conduct = { ...back, isBanned: true }
    expect(convict(banned, forgivenMs).consequence.kind).toBe('banned')
  })

  test('what is slashed is no longer held', () => {
    expect<bigint>(first.conduct.heldMicroCredit).toBe(1_000n)
    expect<bigint>(convict(first.conduct, 2_000).conduct.heldMicroCredit).toBe(900n)
    expect<bigint>(convict(back, 2_000).conduct.heldMicroCredit).toBe(0n)
  })
})

describe('quarantine', () => {
  test('ends after a benchmark and clean audits, in this order', () => {
    expect(isQuarantined(first.conduct)).toBe(true)
    const bound = at(firstMs + 1)
    const unmeasured = afterCleanAudit(afterCleanAudit(first.conduct, bound), bound)
    expect(unmeasured).toEqual(first.conduct)
    const once = afterCleanAudit(afterBenchmark(first.conduct), bound)
    expect(isQuarantined(once)).toBe(true)
    expect(isQuarantined(afterCleanAudit(once, bound))).toBe(false)
  })

  test('counts nothing that was bound before the conviction', () => {
    const measured = afterBenchmark(first.conduct)
    expect(afterCleanAudit(measured, at(firstMs))).toEqual(measured)
  })

  test('begins anew with every offence', () => {
    const once = afterCleanAudit(afterBenchmark(first.conduct), at(firstMs + 1))
    expect(convict(once, 2_000).conduct.quarantine).toEqual({ passedBenchmark: false, cleanAuditsLeft: 2 })
  })

  test('nobody else is changed', () => {
    expect(afterBenchmark(spotlessConduct)).toBe(spotlessConduct)
    expect(afterCleanAudit(spotlessConduct, at(5))).toBe(spotlessConduct)
  })
})
