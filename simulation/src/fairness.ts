/** Nobody waits for ever: how often fresh tasks of others were handed out while a requester's own of the same class stood there. */
import type { DispatchState, Effect } from '@shardy/dispatch'
import type { RequesterId } from '@shardy/protocol'
import { demand } from './violation.ts'

/** A task of five replicas counts as five, and there are four requesters: half as often has been seen where all is well. */
const passedOverMax = 70

export class Fairness {
  /** The most that anybody was passed over in this run. */
  most = 0
  readonly #passedOver = new Map<RequesterId, number>()

  /** Virtual times begin anew with the process. */
  forget(): void {
    this.#passedOver.clear()
  }

  delivered({ task, delivery }: Extract<Effect, { readonly kind: 'deliver' }>, state: DispatchState): void {
    if (delivery.index !== 0) return
    const { requesterId } = task.spec
    this.#passedOver.set(requesterId, 0)
    const counted = new Set<RequesterId>([requesterId])
    for (const other of state.tasks.values()) {
      const otherId = other.spec.requesterId
      // What came meanwhile was not passed over: effects are seen when they are durable.
      if (other.spec.submittedAtMs >= delivery.leasedAtMs) continue
      if (other.place !== 'fresh' || other.taskClass !== task.taskClass || counted.has(otherId)) continue
      counted.add(otherId)
      const times = (this.#passedOver.get(otherId) ?? 0) + 1
      demand(times <= passedOverMax, 'nobodyStarves', () => `${otherId} was passed over ${times} times`)
      this.most = Math.max(this.most, times)
      this.#passedOver.set(otherId, times)
    }
  }
}
