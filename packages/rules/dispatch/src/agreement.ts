/**
 * Agreement (spec D3, D19): answers being equal, byte for byte for exact kinds, within a tolerance for floats. Workers who
 * collude can agree on a wrong answer, which is why a receipt names its basis.
 */
import type { MicroCredit } from '@shardy/protocol'
import type { Delivery, Task } from './task.ts'

export interface Tally {
  /** Answers that count, by what is equal. */
  readonly groups: readonly (readonly Delivery[])[]
  /** Deliveries that are still to answer. */
  readonly pending: number
}

export function tally({ deliveries, spec }: Task): Tally {
  const groups: Delivery[][] = []
  let pending = 0
  for (const delivery of deliveries) {
    if (delivery.state === 'settled') continue
    if (delivery.state !== 'answered') {
      pending++
      continue
    }
    const group = groups.find(([first]) => first !== undefined && isEqual(first, delivery, spec.exact))
    if (group === undefined) groups.push([delivery])
    else group.push(delivery)
  }
  return { groups, pending }
}

function isEqual(left: Delivery, right: Delivery, exact: boolean): boolean {
  return (
    left.outputDigest === right.outputDigest || (!exact && left.group !== 0 && left.group === right.group)
  )
}

/** Those that most have given; among equals the first. */
export function largestGroup({ groups }: Tally): readonly Delivery[] {
  let largest: readonly Delivery[] = []
  for (const group of groups) if (group.length > largest.length) largest = group
  return largest
}

/** Deliveries without which agreement is out of reach, even when all that are pending join the largest group. */
export function needed({ agreeing }: Task, found: Tally): number {
  return Math.max(0, agreeing - largestGroup(found).length - found.pending)
}

/** Deliveries to add: as many as are asked at first, and as many as are needed. */
export function missing(task: Task, found: Tally): number {
  const counted = found.pending + found.groups.reduce((sum, group) => sum + group.length, 0)
  return Math.max(task.spec.verify.replicas - counted, task.agreeing - counted, needed(task, found))
}

/** D11: commitments close when enough workers are bound to an answer; nobody may commit after seeing another's. */
export function commitmentsAreIn(task: Task): boolean {
  let bound = 0
  for (const { state } of task.deliveries) {
    if (state === 'committed' || state === 'revealing' || state === 'answered') bound++
    // Whoever is still computing is given its time: it was asked before anybody showed anything.
    else if (state !== 'settled') return false
  }
  return bound >= task.agreeing
}

/** D20: equal shares; what cannot be divided goes to the first, so that exactly the reward is paid out. */
export function shares(rewardMicroCredit: MicroCredit, count: number): readonly MicroCredit[] {
  const share = rewardMicroCredit / BigInt(count)
  const rest = rewardMicroCredit % BigInt(count)
  return Array.from({ length: count }, (_, index) => (index === 0 ? share + rest : share) as MicroCredit)
}
