/**
 * The bound of docs/spec/trust.md (A1), counted: what bad answers under `adaptive` brought those who were not looked at, against
 * the bound's share of what those had at risk who were. One run says little; the sum over many may exceed 0 by chance alone.
 */
import { type DispatchState, trust } from '@shardy/dispatch'
import type { DeliveryId, MicroCredit, WorkerId } from '@shardy/protocol'
import { policy } from './settings.ts'
import type { Task } from './verdicts.ts'
import { demand } from './violation.ts'
import type { Work } from './work.ts'

export interface AdaptiveFigures {
  /** Bad answers under `adaptive` that were accepted, and that were audited. */
  readonly accepted: number
  readonly audited: number
  /** Value accepted less the bound's share of what was at risk: at most 0 in expectation. */
  readonly excess: number
  readonly variance: number
}

export class AdaptiveTally {
  accepted = 0
  audited = 0
  excess = 0
  variance = 0
  readonly #locked = new Map<WorkerId, bigint>()
  readonly #seen = new Set<DeliveryId>()

  /** What a worker had to lose when it answered, by the book. */
  staked(workerId: WorkerId, lockedMicroCredit: bigint): void {
    if (lockedMicroCredit > (this.#locked.get(workerId) ?? 0n)) this.#locked.set(workerId, lockedMicroCredit)
  }

  add(task: Task, state: DispatchState, { right }: Work): void {
    const { spec, deliveries, history } = task
    if (spec.verify.mode !== 'adaptive' || !spec.exact) return
    const { boundPpm, leastTaskValueMicroCredit, stakeParts } = policy.trust
    const bound = boundPpm / 1e6
    const worth =
      spec.rewardMicroCredit > leastTaskValueMicroCredit ? spec.rewardMicroCredit : leastTaskValueMicroCredit
    const value = Number(worth)
    for (const [index, delivery] of deliveries.entries()) {
      const { deliveryId, outputDigest, outcome, workerId } = delivery
      if (outputDigest === undefined || this.#seen.has(deliveryId)) continue
      this.#seen.add(deliveryId)
      const isTaken = outcome === 'accepted' && task.basis === 'trusted'
      const most = (this.#locked.get(workerId) ?? 0n) / BigInt(stakeParts)
      if (isTaken) {
        const draw = trust.drawOf(state.secret, deliveryId, outputDigest, state.sha256)
        const threshold = trust.auditThreshold(spec.rewardMicroCredit, most as MicroCredit, policy.trust)
        demand(draw >= threshold, 'drawnIsAudited', () => `${deliveryId} was drawn and taken unlooked-at`)
      }
      if (outputDigest === right.outputDigest) continue
      const audit = history.find(({ type, attempt }) => type === 'audited' && attempt === index + 1)
      const free = audit === undefined ? undefined : /of (\d+) micro/.exec(audit.detail)?.[1]
      if (!isTaken && free === undefined) continue
      const atRisk = free === undefined ? Number(most) : Number(BigInt(free) / BigInt(stakeParts))
      const chance = value / (value + bound * atRisk)
      this.excess += isTaken ? value : -bound * atRisk
      this.variance += chance * (1 - chance) * (value + bound * atRisk) ** 2
      if (isTaken) this.accepted++
      else this.audited++
    }
  }

  figures(): AdaptiveFigures {
    const { accepted, audited, excess, variance } = this
    return { accepted, audited, excess, variance }
  }
}
