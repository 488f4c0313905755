/**
 * Agreement (spec D3, D19): replicas of a task having equal digests. A task is verified when as many distinct
 * workers as its redundancy gave the same digest; until then this says how many more deliveries it needs. Workers
 * who collude can agree on a wrong answer, which is why a receipt names its basis.
 */
import type { Digest, MicroCredit } from '@shardy/protocol'
import type { DeliveryRecord, TaskRecord } from './record.ts'

export interface Tally {
  /** The digest that has reached the redundancy. */
  readonly agreed: Digest | undefined
  /** Two answers differ. */
  readonly mismatched: boolean
  /** Deliveries that are still to answer. */
  readonly pending: number
  /** Deliveries to add so that agreement is possible if all pending ones join the largest group. */
  readonly wanted: number
}

export function tally(task: TaskRecord, deliveries: readonly DeliveryRecord[]): Tally {
  const counts = new Map<Digest, number>()
  let pending = 0
  for (const delivery of deliveries) {
    if (delivery.state === 'settled') continue
    if (delivery.state === 'answered' && delivery.outputDigest !== undefined) {
      counts.set(delivery.outputDigest, (counts.get(delivery.outputDigest) ?? 0) + 1)
    } else {
      pending++
    }
  }
  let largest = 0
  let agreed: Digest | undefined
  for (const [digest, count] of counts) {
    if (count > largest) largest = count
    if (count >= task.redundancy) agreed = digest
  }
  return {
    agreed,
    mismatched: counts.size > 1,
    pending,
    wanted: agreed === undefined ? Math.max(0, task.redundancy - largest - pending) : 0,
  }
}

/** D11: commitments close when enough workers are bound to an answer; nobody may commit after seeing another's. */
export function commitmentsAreIn(task: TaskRecord, deliveries: readonly DeliveryRecord[]): boolean {
  const bound = deliveries.filter(
    ({ state }) =>
      state === 'committed' || state === 'revealing' || state === 'revealed' || state === 'answered',
  )
  return bound.length >= task.redundancy
}

/** D20: equal shares; what cannot be divided goes to the first, so that exactly the reward is paid out. */
export function shares(rewardMicroCredit: MicroCredit, count: number): readonly MicroCredit[] {
  const share = rewardMicroCredit / BigInt(count)
  const rest = rewardMicroCredit % BigInt(count)
  return Array.from({ length: count }, (_, index) => (index === 0 ? share + rest : share) as MicroCredit)
}
