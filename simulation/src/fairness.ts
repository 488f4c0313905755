/** Nobody waits for ever: how often fresh tasks of others were handed out while a requester's own of the same class stood there. */
import type { DispatchState, Effect } from '@shardy/dispatch'
import type { RequesterId } from '@shardy/protocol'
import { demand } from './violation.ts'

interface Waiting {
  times: number
  /** What the one who had had least had had when it was first passed over. */
  readonly least: number
}

/**
 * A requester pays for every delivery, of replicas and of tries that came to nothing too. Who has had more stands there until
 * the three others have had as much: three for each of its lead, and some for effects that are seen later than decided.
 */
const othersEach = 3
const slack = 30

export class Fairness {
  /** The most that anybody was passed over in this run. */
  most = 0
  readonly #passedOver = new Map<RequesterId, Waiting>()
  /** Deliveries of each, counted here: what dispatch believes may be what is wrong. */
  readonly #had = new Map<RequesterId, number>()

  /** Whose turn it is begins anew with the process. */
  forget(): void {
    this.#passedOver.clear()
    this.#had.clear()
  }

  delivered({ task, delivery }: Extract<Effect, { readonly kind: 'deliver' }>, state: DispatchState): void {
    const { requesterId } = task.spec
    this.#had.set(requesterId, this.#hadBy(requesterId) + 1)
    if (delivery.index !== 0) return
    this.#passedOver.delete(requesterId)
    const counted = new Set<RequesterId>([requesterId])
    for (const other of state.tasks.values()) {
      const otherId = other.spec.requesterId
      // What came meanwhile was not passed over: effects are seen when they are durable.
      if (other.spec.submittedAtMs >= delivery.leasedAtMs) continue
      if (other.place !== 'fresh' || other.taskClass !== task.taskClass || counted.has(otherId)) continue
      counted.add(otherId)
      const waiting = this.#passedOver.get(otherId) ?? { times: 0, least: this.#least(otherId) }
      this.#passedOver.set(otherId, waiting)
      const times = ++waiting.times
      const lead = Math.max(0, this.#hadBy(otherId) - waiting.least)
      const most = slack + othersEach * lead
      demand(times <= most, 'nobodyStarves', () => `${otherId} was passed over ${times} times, not ${most}`)
      this.most = Math.max(this.most, times)
    }
  }

  #hadBy(requesterId: RequesterId): number {
    return this.#had.get(requesterId) ?? 0
  }

  #least(but: RequesterId): number {
    return Math.min(...[...this.#had].flatMap(([requesterId, had]) => (requesterId === but ? [] : [had])))
  }
}
