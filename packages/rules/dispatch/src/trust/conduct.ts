/**
 * What an identity has been found guilty of, and what that costs (spec A17–A23). The first wrong result of an exact
 * kind is unpaid and leads to quarantine, since a driver bug is no fraud; the stake that was trusted is held, which
 * is what bounds how often anybody can use this up. What is repeated or manufactured is slashed.
 */
import type { MicroCredit, TimeMs } from '@shardy/protocol'
import type { Offence } from './offence.ts'
import type { TrustPolicy } from './policy.ts'

export interface Conduct {
  /** Incidents that are not forgiven. */
  readonly offences: number
  readonly lastOffenceAtMs: TimeMs
  readonly heldMicroCredit: MicroCredit
  readonly heldUntilMs: TimeMs
  readonly quarantine: { readonly passedBenchmark: boolean; readonly cleanAuditsLeft: number } | undefined
  readonly isBanned: boolean
}

export const spotlessConduct: Conduct = {
  offences: 0,
  lastOffenceAtMs: 0 as TimeMs,
  heldMicroCredit: 0n as MicroCredit,
  heldUntilMs: 0 as TimeMs,
  quarantine: undefined,
  isBanned: false,
}

export interface Conviction {
  /** From `offenceFault` without fault, signatures verified. */
  readonly offence: Pick<Offence, 'kind'>
  /** When the worker was bound to the result. */
  readonly boundAtMs: TimeMs
  readonly atMs: TimeMs
  readonly lockedMicroCredit: MicroCredit
}

/** The work is unpaid in every case. What is slashed is destroyed: nobody gets it (A8). */
export type Consequence =
  /** Found of results that were bound before the last conviction: one broken driver, one offence. */
  | { readonly kind: 'unpaid' }
  | {
      readonly kind: 'unpaidAndQuarantine'
      readonly heldMicroCredit: MicroCredit
      readonly heldUntilMs: TimeMs
    }
  | { readonly kind: 'slash'; readonly amountMicroCredit: MicroCredit }
  | { readonly kind: 'banned'; readonly amountMicroCredit: MicroCredit }

export function isQuarantined({ quarantine, isBanned }: Conduct): boolean {
  return quarantine !== undefined || isBanned
}

export function afterOffence(
  conduct: Conduct,
  conviction: Conviction,
  policy: TrustPolicy,
): { readonly conduct: Conduct; readonly consequence: Consequence } {
  const { offence, boundAtMs, atMs, lockedMicroCredit } = conviction
  const isManufactured = offence.kind !== 'wrongResult'
  const isSameIncident = conduct.offences > 0 && boundAtMs <= conduct.lastOffenceAtMs
  if (isSameIncident && !isManufactured) return { conduct, consequence: { kind: 'unpaid' } }

  const isForgiven = atMs - conduct.lastOffenceAtMs > policy.forgivenAfterMs
  const offences = isForgiven ? 1 : conduct.offences + 1
  const after: Conduct = {
    ...conduct,
    offences,
    lastOffenceAtMs: atMs > conduct.lastOffenceAtMs ? atMs : conduct.lastOffenceAtMs,
    quarantine: { passedBenchmark: false, cleanAuditsLeft: policy.cleanAudits },
  }
  if (offences === 1 && !isManufactured && !conduct.isBanned) {
    const heldUntilMs = (atMs + policy.holdMs) as TimeMs
    return {
      conduct: { ...after, heldMicroCredit: lockedMicroCredit, heldUntilMs },
      consequence: { kind: 'unpaidAndQuarantine', heldMicroCredit: lockedMicroCredit, heldUntilMs },
    }
  }
  const slashed = (amount: bigint): Conduct => {
    const held = after.heldMicroCredit > amount ? after.heldMicroCredit - amount : 0n
    return { ...after, heldMicroCredit: held as MicroCredit }
  }
  if (conduct.isBanned || offences >= policy.banAfterOffences) {
    return {
      conduct: { ...slashed(lockedMicroCredit), isBanned: true },
      consequence: { kind: 'banned', amountMicroCredit: lockedMicroCredit },
    }
  }
  // In quarantine everything was audited and nothing at risk, so a part of the stake is warning enough.
  const amount =
    isQuarantined(conduct) && !isManufactured
      ? (lockedMicroCredit * BigInt(policy.quarantineSlashPpm)) / 1_000_000n
      : lockedMicroCredit
  const amountMicroCredit = amount as MicroCredit
  return { conduct: slashed(amount), consequence: { kind: 'slash', amountMicroCredit } }
}

/** A fresh benchmark, done rather than claimed. */
export function afterBenchmark(conduct: Conduct): Conduct {
  if (conduct.quarantine === undefined) return conduct
  return ended({ ...conduct, quarantine: { ...conduct.quarantine, passedBenchmark: true } })
}

/** Counts results that were bound after the last offence and that an audit found right. */
export function afterCleanAudit(conduct: Conduct, boundAtMs: TimeMs): Conduct {
  const { quarantine } = conduct
  if (quarantine === undefined || boundAtMs <= conduct.lastOffenceAtMs) return conduct
  if (!quarantine.passedBenchmark || quarantine.cleanAuditsLeft === 0) return conduct
  const cleanAuditsLeft = quarantine.cleanAuditsLeft - 1
  return ended({ ...conduct, quarantine: { ...quarantine, cleanAuditsLeft } })
}

function ended(conduct: Conduct): Conduct {
  const { quarantine } = conduct
  const isOver = quarantine?.passedBenchmark === true && quarantine.cleanAuditsLeft === 0
  return isOver ? { ...conduct, quarantine: undefined } : conduct
}
