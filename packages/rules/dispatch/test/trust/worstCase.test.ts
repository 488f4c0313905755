/**
 * The best that any attacker can do, found by trying every course of action (spec A2, A6, A7): not an estimate. It
 * may answer well or badly, with small tasks and large, wait for audits or not, add stake and take it back, and it
 * sees every draw before it goes on. What it gets accepted − B · what it loses never has a positive expectation.
 */
import { describe, expect, test } from 'bun:test'
import type { MicroCredit, TimeMs } from '@shardy/protocol'
import {
  auditDecision,
  auditThreshold,
  defaultTrustPolicy,
  drawValues,
  freeStake,
  spotlessConduct,
  type TrustPolicy,
  withdrawableStake,
} from '../../src/trust/index.ts'

/** A bound of 30 %, and a stake of a few tasks: every course of action matters within a few moves. */
const policy: TrustPolicy = { ...defaultTrustPolicy, boundPpm: 300_000, leastAuditPpm: 0 }
const bound = policy.boundPpm / 1e6

interface Position {
  readonly locked: bigint
  readonly pending: bigint
  /** A bad result is being audited: all that is locked will be taken. */
  readonly isDoomed: boolean
}

type Break = 'none' | 'riskedTwice' | 'rareAudits' | 'earlyWithdrawal'

function bestGain(stakeParts: number, broken: Break, start: Position, moves: number): number {
  const used = { ...policy, stakeParts }
  const known = new Map<string, number>()
  const nowMs = 1 as TimeMs
  const stakeOf = ({ locked, pending }: Position, withdrawing: bigint) => ({
    lockedMicroCredit: locked as MicroCredit,
    withdrawingMicroCredit: withdrawing as MicroCredit,
    pendingExposureMicroCredit: pending as MicroCredit,
  })

  function answer(at: Position, left: number, value: bigint, isGood: boolean): number {
    const seen = broken === 'riskedTwice' ? { ...at, pending: 0n } : at
    const freeStakeMicroCredit = freeStake(stakeOf(seen, 0n), spotlessConduct, nowMs)
    const question = { freeStakeMicroCredit, taskValueMicroCredit: value as MicroCredit, draw: 0 }
    const decision = auditDecision({ ...question, examination: 'reexecution' }, used)
    if (decision.kind !== 'audit') throw new Error('the draw 0 audits')
    const stake = decision.stakeMicroCredit
    const needed = auditThreshold(value as MicroCredit, stake, used) / drawValues
    const probability = broken === 'rareAudits' ? needed * 0.9 : needed
    const audited = { ...at, pending: at.pending + stake, isDoomed: at.isDoomed || !isGood }
    const paid = { ...at, locked: at.locked + value }
    const aloneGain = (isGood ? 0 : Number(value)) + best(paid, left - 1)
    return probability * best(audited, left - 1) + (1 - probability) * aloneGain
  }

  function best(at: Position, left: number): number {
    const key = `${at.locked} ${at.pending} ${at.isDoomed} ${left}`
    const found = known.get(key)
    if (found !== undefined) return found
    // Whatever it does last, the audits are decided.
    let gain = at.isDoomed ? -bound * Number(at.locked) : 0
    if (left > 0) {
      const free = withdrawableStake(stakeOf(at, at.locked), spotlessConduct, nowMs)
      const paidOut = broken === 'earlyWithdrawal' ? at.locked : free
      const courses = [
        answer(at, left, 1n, false),
        answer(at, left, 5n, false),
        answer(at, left, 1n, true),
        best({ ...at, locked: at.locked - paidOut }, left - 1),
        best({ ...at, locked: at.locked + 20n }, left - 1),
      ]
      if (!at.isDoomed) courses.push(best({ ...at, pending: 0n }, left - 1))
      gain = Math.max(gain, ...courses)
    }
    known.set(key, gain)
    return gain
  }

  return best(start, moves)
}

describe('the best course of action', () => {
  for (const stakeParts of [1, 2, 3]) {
    for (const locked of [0n, 7n, 40n, 1_000n]) {
      test(`gains nothing with ${locked} locked, in ${stakeParts} parts`, () => {
        const start = { locked, pending: 0n, isDoomed: false }
        expect(bestGain(stakeParts, 'none', start, 7)).toBeLessThan(1e-9)
      })
    }
  }

  for (const broken of ['riskedTwice', 'rareAudits', 'earlyWithdrawal'] as const) {
    test(`gains when weakened: ${broken}`, () => {
      const start = { locked: 40n, pending: 0n, isDoomed: false }
      expect(bestGain(2, broken, start, 7)).toBeGreaterThan(0.1)
    })
  }
})
