/**
 * A small orchestrator and book around the trust rules: it keeps stakes and pending audits and pays for what is
 * accepted, and does nothing else. `Weakening` breaks it on purpose, to see whether the bound notices.
 */
import type { MicroCredit, TimeMs } from '@shardy/protocol'
import {
  afterBenchmark,
  afterCleanAudit,
  afterOffence,
  auditDecision,
  type Conduct,
  freeStake,
  isQuarantined,
  type Stake,
  spotlessConduct,
  type TrustPolicy,
  withdrawableStake,
} from '../../src/trust/index.ts'
import type { Random } from '../random.ts'
import { emptySum, type Rule } from './rule.ts'

/** One task's worth in micro-credits, which the rules count in; sums here are in tasks. */
const unit = 1_000

export type Weakening =
  | 'none'
  /** Audits are drawn at four fifths of the rate that the bound needs. */
  | 'rareAudits'
  /** What pending audits have at risk is risked again. */
  | 'riskedTwice'
  /** Stake is paid out while audits are undecided. */
  | 'earlyWithdrawal'
  /** The value of a task is not looked at. */
  | 'valueBlind'
  /** What a first offence holds can be withdrawn. */
  | 'freeLeniency'

interface Identity {
  locked: bigint
  withdrawing: bigint
  pending: bigint
  conduct: Conduct
  audits: { isGood: boolean; stake: bigint; boundAtMs: TimeMs; value: number }[]
}

export interface AdaptiveOptions {
  readonly policy: TrustPolicy
  readonly weakening?: Weakening
  /** Whether requesters are others, who pay rewards, or the attacker itself, whose rewards are its own money. */
  readonly ownRequester?: boolean | undefined
}

export function createAdaptive(
  random: Random,
  { policy, weakening = 'none', ownRequester }: AdaptiveOptions,
): Rule {
  const identities: Identity[] = []
  const sum = emptySum()
  let nowMs = 1 as TimeMs
  let ownNow = 0
  const invest = (value: number) => {
    ownNow += value
    sum.ownValue = Math.max(sum.ownValue, ownNow)
  }
  const stakeOf = ({ locked, withdrawing, pending }: Identity): Stake => ({
    lockedMicroCredit: locked as MicroCredit,
    withdrawingMicroCredit: withdrawing as MicroCredit,
    pendingExposureMicroCredit: (weakening === 'riskedTwice' ? 0n : pending) as MicroCredit,
  })
  const pay = (identity: Identity, value: number) => {
    if (ownRequester) invest(value)
    identity.locked += BigInt(value * unit)
  }
  const get = (index: number): Identity => {
    const identity = identities[index]
    if (identity === undefined) throw new Error(`nobody is ${index}`)
    return identity
  }

  function convict(identity: Identity, boundAtMs: TimeMs) {
    const lockedMicroCredit = identity.locked as MicroCredit
    const offence = { kind: 'wrongResult' } as const
    const next = afterOffence(
      identity.conduct,
      { offence, boundAtMs, atMs: nowMs, lockedMicroCredit },
      policy,
    )
    identity.conduct = next.conduct
    const { consequence } = next
    if (consequence.kind === 'unpaid') return
    if (consequence.kind === 'unpaidAndQuarantine') {
      sum.takenValue += Number(consequence.heldMicroCredit) / unit
      if (weakening === 'freeLeniency')
        identity.conduct = { ...identity.conduct, heldMicroCredit: 0n as MicroCredit }
      return
    }
    sum.takenValue += Number(consequence.amountMicroCredit) / unit
    identity.locked -= consequence.amountMicroCredit
    identity.withdrawing = identity.withdrawing < identity.locked ? identity.withdrawing : identity.locked
  }

  return {
    sum,
    join(depositValue) {
      invest(depositValue)
      const locked = BigInt(depositValue * unit)
      return (
        identities.push({ locked, withdrawing: 0n, pending: 0n, conduct: spotlessConduct, audits: [] }) - 1
      )
    },
    answer(index, isGood, value = 1) {
      const identity = get(index)
      if (identity.conduct.isBanned) return 'refused'
      // Any driver passes a benchmark when its owner wants it to.
      identity.conduct = afterBenchmark(identity.conduct)
      sum.answered++
      const shown = weakening === 'valueBlind' ? 1 : value
      const draw = random.below(2 ** 32)
      const decision = auditDecision(
        {
          freeStakeMicroCredit: freeStake(stakeOf(identity), identity.conduct, nowMs),
          taskValueMicroCredit: BigInt(shown * unit) as MicroCredit,
          examination: 'reexecution',
          draw: weakening === 'rareAudits' ? Math.min(2 ** 32 - 1, Math.floor(draw / 0.8)) : draw,
        },
        policy,
      )
      if (decision.kind === 'alone') {
        if (!isGood) {
          sum.badCount++
          sum.badValue += value
        }
        pay(identity, value)
        return 'alone'
      }
      sum.examined++
      const stake = decision.stakeMicroCredit
      if (!isGood) sum.riskedValue += Number(stake) / unit
      identity.pending += stake
      identity.audits.push({ isGood, stake, boundAtMs: nowMs, value })
      return 'examined'
    },
    decide() {
      nowMs = (nowMs + 1) as TimeMs
      for (const identity of identities) {
        for (const { isGood, stake, boundAtMs, value } of identity.audits) {
          identity.pending -= stake
          if (!isGood) {
            convict(identity, boundAtMs)
            continue
          }
          if (isQuarantined(identity.conduct)) identity.conduct = afterCleanAudit(identity.conduct, boundAtMs)
          pay(identity, value)
        }
        identity.audits = []
      }
    },
    withdraw(index) {
      const identity = get(index)
      identity.withdrawing = identity.locked
      const paid =
        weakening === 'earlyWithdrawal'
          ? identity.locked
          : withdrawableStake(stakeOf(identity), identity.conduct, nowMs)
      identity.locked -= paid
      identity.withdrawing = 0n
      ownNow -= Number(paid) / unit
    },
    wait(ms) {
      nowMs = (nowMs + ms) as TimeMs
    },
  }
}
