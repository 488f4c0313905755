/**
 * An identity's stake: deposit and vested earnings, and which part of them can be risked on another result
 * (spec A5–A8). Every unit is at risk for one undecided audit at a time, which is what the bound rests on.
 */
import type { MicroCredit, TimeMs } from '@shardy/protocol'
import { type Conduct, isQuarantined } from './conduct.ts'

export interface Stake {
  /** All that the book would destroy: what is held, at risk or being withdrawn is still part of it. */
  readonly lockedMicroCredit: MicroCredit
  /** Asked back and not yet paid out. */
  readonly withdrawingMicroCredit: MicroCredit
  /** The sum of what undecided audits have put at risk (`stakeMicroCredit` of their decisions). */
  readonly pendingExposureMicroCredit: MicroCredit
}

export function heldStake({ heldMicroCredit, heldUntilMs }: Conduct, atMs: TimeMs): MicroCredit {
  return atMs < heldUntilMs ? heldMicroCredit : (0n as MicroCredit)
}

/** What trust may be founded on now. */
export function freeStake(stake: Stake, conduct: Conduct, atMs: TimeMs): MicroCredit {
  if (isQuarantined(conduct)) return 0n as MicroCredit
  return unboundStake(stake, conduct, atMs)
}

/** What may be paid out now: the rest of what is asked back waits until audits are decided and holds have ended. */
export function withdrawableStake(stake: Stake, conduct: Conduct, atMs: TimeMs): MicroCredit {
  const withoutRequest = { ...stake, withdrawingMicroCredit: 0n as MicroCredit }
  const unbound = unboundStake(withoutRequest, conduct, atMs)
  return unbound < stake.withdrawingMicroCredit ? unbound : stake.withdrawingMicroCredit
}

function unboundStake(stake: Stake, conduct: Conduct, atMs: TimeMs): MicroCredit {
  const unbound =
    stake.lockedMicroCredit -
    stake.withdrawingMicroCredit -
    stake.pendingExposureMicroCredit -
    heldStake(conduct, atMs)
  return (unbound > 0n ? unbound : 0n) as MicroCredit
}
