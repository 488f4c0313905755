import { describe, expect, test } from 'bun:test'
import type { MicroCredit, TimeMs } from '@shardy/protocol'
import { type Conduct, spotlessConduct } from './conduct.ts'
import { freeStake, type Stake, withdrawableStake } from './stake.ts'

const nowMs = 1_000 as TimeMs
const held = { heldMicroCredit: 60n as MicroCredit, heldUntilMs: 1_001 as TimeMs }
const quarantine = { passedBenchmark: true, cleanAuditsLeft: 1 }

const table: readonly {
  readonly desc: string
  readonly stake: readonly [locked: bigint, withdrawing: bigint, pending: bigint]
  readonly conduct?: Partial<Conduct>
  readonly free: bigint
  readonly withdrawable: bigint
}[] = [
  { desc: 'all of it', stake: [100n, 0n, 0n], free: 100n, withdrawable: 0n },
  { desc: 'not what is asked back', stake: [100n, 30n, 0n], free: 70n, withdrawable: 30n },
  { desc: 'not what audits have at risk', stake: [100n, 80n, 40n], free: 0n, withdrawable: 60n },
  { desc: 'not what is held', stake: [100n, 100n, 0n], conduct: held, free: 0n, withdrawable: 40n },
  {
    desc: 'what was held until now',
    stake: [100n, 0n, 0n],
    conduct: { ...held, heldUntilMs: nowMs },
    free: 100n,
    withdrawable: 0n,
  },
  {
    desc: 'none in quarantine',
    stake: [100n, 10n, 0n],
    conduct: { quarantine },
    free: 0n,
    withdrawable: 10n,
  },
  {
    desc: 'none when banned',
    stake: [100n, 10n, 0n],
    conduct: { isBanned: true },
    free: 0n,
    withdrawable: 10n,
  },
  { desc: 'never less than none', stake: [10n, 10n, 50n], conduct: held, free: 0n, withdrawable: 0n },
]

describe('free stake and what may be paid out', () => {
  for (const { desc, stake, conduct, free, withdrawable } of table) {
    test(desc, () => {
      const [lockedMicroCredit, withdrawingMicroCredit, pendingExposureMicroCredit] =
        stake as unknown as MicroCredit[]
      const all = { lockedMicroCredit, withdrawingMicroCredit, pendingExposureMicroCredit } as Stake
      const whole = { ...spotlessConduct, ...conduct }
      expect<bigint>(freeStake(all, whole, nowMs)).toBe(free)
      expect<bigint>(withdrawableStake(all, whole, nowMs)).toBe(withdrawable)
    })
  }
})
