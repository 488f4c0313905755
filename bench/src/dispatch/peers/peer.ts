/**
 * A queue that is measured beside ours: the server it needs, and its two sides, which run in two processes. A single
 * is one trip: submitted durably, handled by the other process, and heard of by the submitter.
 */
import type { Stage } from '../stage.ts'

export interface Submitter {
  /** Resolves when the submitter knows that its job was handled and the queue has recorded that. */
  submit(): Promise<void>
}

export interface Served {
  readonly url: string
  /** As the server tells it. */
  readonly version: string
}

/** What both sides are told: where the server listens and where the installed clients are. */
export interface Address {
  readonly url: string
  readonly clients: string
}

export interface Peer {
  /** Starts the server in an empty folder of its own. */
  serve(stage: Stage): Promise<Served>
  /** In a process of its own, and the first of the two: it also makes what both need in the server. */
  submitter(address: Address): Promise<Submitter>
  /** The other process: resolves once it handles jobs, and goes on until it is ended. */
  handle(address: Address): Promise<void>
}

/** Trips that are on their way, by id, so that whatever tells of the end finds who waits for it. */
export class Waiting {
  readonly #resolvers = new Map<string, () => void>()
  #count = 0

  begin(): { readonly id: string; readonly ended: Promise<void> } {
    const id = `job-${++this.#count}`
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#resolvers.set(id, resolve)
    return { id, ended: promise }
  }

  /** An id that nobody waits for was told twice, which these queues may do. */
  end(id: string): void {
    this.#resolvers.get(id)?.()
    this.#resolvers.delete(id)
  }
}
