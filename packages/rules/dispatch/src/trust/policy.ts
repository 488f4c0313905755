/**
 * What an operator sets about trust (spec A4, A9, A17–A22). The bound on what cheaters get accepted rests on these
 * numbers, so a policy that would break it is refused, by name, when it is read.
 */
import type { DurationMs, MicroCredit } from '@shardy/protocol'

export interface TrustPolicy {
  /** The bound of A1: bad value that may be accepted, in expectation, per million of value taken from its makers. */
  readonly boundPpm: number
  /** Everybody's results are audited at least as often (A9), so that a failing device is found. */
  readonly leastAuditPpm: number
  /** An audit puts one part in so many of the free stake at risk; the others wait for what is answered meanwhile. */
  readonly stakeParts: number
  /** A task counts as worth at least this, so that tiny rewards do not buy unlooked-at results. */
  readonly leastTaskValueMicroCredit: MicroCredit
  /** Replicas, the audited one included, where the orchestrator cannot re-execute (A12). */
  readonly replicas: number
  /** How long the stake of a first offender gives no trust and cannot be withdrawn. */
  readonly holdMs: DurationMs
  /** An offence so long after the last one is a first one again. */
  readonly forgivenAfterMs: DurationMs
  /** Clean audits that end a quarantine, after a passed benchmark. */
  readonly cleanAudits: number
  /** What a repeated offence in quarantine costs: there every result is audited and nothing was risked. */
  readonly quarantineSlashPpm: number
  /** Offences, each an incident of its own and none forgiven, after which an identity gets no more work. */
  readonly banAfterOffences: number
}

const dayMs = 86_400_000

export const defaultTrustPolicy: TrustPolicy = {
  boundPpm: 1_000,
  leastAuditPpm: 1_000,
  stakeParts: 2,
  leastTaskValueMicroCredit: 1n as MicroCredit,
  replicas: 3,
  holdMs: (30 * dayMs) as DurationMs,
  forgivenAfterMs: (90 * dayMs) as DurationMs,
  cleanAudits: 100,
  quarantineSlashPpm: 100_000,
  banAfterOffences: 4,
}

export interface TrustPolicyFault {
  readonly kind: 'trustPolicyFault'
  readonly field: keyof TrustPolicy
  readonly value: number | bigint
  readonly least: number | bigint
  readonly most: number | bigint
}

const million = 1_000_000

/** The first field that is out of its bounds, or undefined when all may be used. */
export function checkedTrustPolicy(policy: TrustPolicy): TrustPolicyFault | undefined {
  const bounds: readonly [keyof TrustPolicy, number, number][] = [
    // At a million, what a cheater gets accepted would be worth as much as what it expects to lose.
    ['boundPpm', 0, million - 1],
    ['leastAuditPpm', 0, million],
    ['stakeParts', 1, 1_024],
    ['replicas', 2, 16],
    ['holdMs', 1, Number.MAX_SAFE_INTEGER],
    // Forgiven sooner, the value that is still held would be counted as taken a second time.
    ['forgivenAfterMs', policy.holdMs, Number.MAX_SAFE_INTEGER],
    ['cleanAudits', 1, million],
    ['quarantineSlashPpm', 0, million],
    ['banAfterOffences', 2, million],
  ]
  for (const [field, least, most] of bounds) {
    const value = policy[field]
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
      return { kind: 'trustPolicyFault', field, value, least, most }
    }
  }
  const value = policy.leastTaskValueMicroCredit
  if (value >= 1n) return undefined
  return {
    kind: 'trustPolicyFault',
    field: 'leastTaskValueMicroCredit',
    value,
    least: 1n,
    most: 2n ** 64n - 1n,
  }
}
