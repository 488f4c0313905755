/**
 * The primary's side of a warm standby: its log with the blobs that the log relies on, what standbys have acknowledged, and how
 * it learns that another orchestrator has taken over.
 */
import type { Digest } from '@shardy/protocol'
import { acknowledge, fence, log, logPosition, type Position, type Store } from '@shardy/storage'
import type { BlobKeeper } from '../blobs/keeper.ts'
import type { Clock } from '../clock.ts'
import type { Table } from '../tables.ts'
import { encodeMessage } from './replicaWire.ts'

export interface Replication {
  /** From there on, or from a snapshot where history does not reach back so far. Ends when the signal says so. */
  follow(from: Position | undefined, signal: AbortSignal): ReadableStream<Uint8Array>
  acknowledge(position: Position): void
  /** Whether this one is deposed. */
  fence(epoch: number): Promise<boolean>
  position(): Position
  followers(): number
  /** What the standby that is furthest lacks; undefined where none has said anything. */
  lag(): number | undefined
}

export interface ReplicationParts {
  /** The one that has the log. */
  readonly store: Store<Table>
  readonly keeper: Pick<BlobKeeper, 'onKept' | 'all'>
  readonly clock: Clock
  /** Nothing more can be promised here: workers and requesters belong to the other. */
  deposed(): void
}

const reachedEveryMs = 1_000

export function createReplication({ store, keeper, clock, deposed }: ReplicationParts): Replication {
  let followers = 0
  let acknowledged: number | undefined

  async function* messages(from: Position | undefined, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const kept: Digest[] = []
    const forget = keeper.onKept((digest) => kept.push(digest))
    let beats = 0
    let wake = (): void => {}
    const beat = (): void => {
      cancelBeat = clock.after(reachedEveryMs, beat)
      beats++
      wake()
    }
    let cancelBeat = clock.after(reachedEveryMs, beat)
    signal.addEventListener('abort', () => wake(), { once: true })
    followers++
    try {
      for await (const digest of keeper.all()) yield encodeMessage({ kind: 'blob', digest })
      const frames = log(store, { from, signal })
      let next = frames.next()
      while (!signal.aborted) {
        const woken = new Promise<'woken'>((resolve) => {
          wake = () => resolve('woken')
        })
        const first = beats > 0 || signal.aborted ? 'woken' : await Promise.race([next, woken])
        // What a frame relies on was kept before it was written.
        for (const digest of kept.splice(0)) yield encodeMessage({ kind: 'blob', digest })
        if (first === 'woken') {
          beats = 0
          yield encodeMessage({ kind: 'reached', sequence: logPosition(store).sequence })
          continue
        }
        if (first.done === true) return
        yield encodeMessage({ kind: 'frame', frame: first.value })
        next = frames.next()
      }
    } finally {
      followers--
      cancelBeat()
      forget()
    }
  }

  return {
    follow: (from, signal) => streamOf((ending) => messages(from, AbortSignal.any([signal, ending]))),
    acknowledge(position) {
      acknowledge(store, position)
      acknowledged = Math.max(acknowledged ?? 0, position.sequence)
    },
    async fence(epoch) {
      const isDeposed = await fence(store, epoch)
      if (isDeposed) deposed()
      return isDeposed
    },
    position: () => logPosition(store),
    followers: () => followers,
    lag: () =>
      acknowledged === undefined ? undefined : Math.max(0, logPosition(store).sequence - acknowledged),
  }
}

/** Nothing is read before it is wanted, so a slow standby costs no memory here beyond the log itself. */
function streamOf(read: (ending: AbortSignal) => AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  const ending = new AbortController()
  const messages = read(ending.signal)
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await messages.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      ending.abort()
      await messages.return(undefined)
    },
  })
}
