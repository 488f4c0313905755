/**
 * What an item's task offers its workers, and what it cost (spec K1, K8): the manifest's reward is the most that one attempt may
 * cost, so the book's fee comes out of it.
 */
import { feeOf } from '@shardy/ledger'
import type { MicroCredit } from '@shardy/protocol'

/** The most that workers can be offered so that they and the fee together take no more than that. */
export function rewardWithin(costMicroCredit: MicroCredit, feePermille: number): MicroCredit {
  const reward = ((costMicroCredit * 1000n) / BigInt(1000 + feePermille)) as MicroCredit
  // The fee is rounded up.
  return costOf(reward, feePermille) <= costMicroCredit ? reward : ((reward - 1n) as MicroCredit)
}

/** What the book takes for what was paid. */
export function costOf(paidMicroCredit: MicroCredit, feePermille: number): MicroCredit {
  return (paidMicroCredit + feeOf(paidMicroCredit, feePermille)) as MicroCredit
}
