/**
 * How likely a result is looked at (spec A4): p ≥ v / (v + B·S) for a task of value v with S of its worker's stake at
 * risk. Then a bad result gains (1 − p)·v ≤ B·(p·S), whatever its maker did before and will do after. Exact integers:
 * the threshold is rounded up, so that rounding never spends any of the bound.
 */
import type { MicroCredit } from '@shardy/protocol'
import type { TrustPolicy } from './policy.ts'

/** A draw is a whole number below this. */
export const drawValues = 2 ** 32

const million = 1_000_000n
const scale = BigInt(drawValues)

/** Of `drawValues` draws, how many have the result audited. */
export function auditThreshold(
  taskValueMicroCredit: MicroCredit,
  stakeMicroCredit: MicroCredit,
  policy: TrustPolicy,
): number {
  const { leastTaskValueMicroCredit } = policy
  const value =
    taskValueMicroCredit > leastTaskValueMicroCredit ? taskValueMicroCredit : leastTaskValueMicroCredit
  if (value <= 0n || stakeMicroCredit < 0n)
    throw new RangeError('value is positive and stake is not negative')
  const gain = value * million
  const all = gain + BigInt(policy.boundPpm) * stakeMicroCredit
  const needed = Number((gain * scale + all - 1n) / all)
  const least = Math.ceil((policy.leastAuditPpm / 1e6) * drawValues)
  return needed > least ? needed : least
}

/** The same as a number between 0 and 1, for people and for reports. */
export function auditProbability(
  taskValueMicroCredit: MicroCredit,
  stakeMicroCredit: MicroCredit,
  policy: TrustPolicy,
): number {
  return auditThreshold(taskValueMicroCredit, stakeMicroCredit, policy) / drawValues
}
