/** The primary's side: its log as frames, what its follower has acknowledged, and how it learns that it is deposed. */
import { engineOf } from '../engineOf.ts'
import { everything, flatRowsOf } from '../flatRows.ts'
import type { Store } from '../store.ts'
import { StoreError } from '../storeError.ts'
import { encodeFrame } from './frames.ts'
import { LoggedEngine } from './loggedEngine.ts'
import { type Position, placeKey, readPlace } from './position.ts'

export interface ReadLogOptions {
  /** Where the follower is; `undefined` for one that has nothing. */
  readonly from: Position | undefined
  /** Ends the log; without, it goes on until the store closes. */
  readonly signal?: AbortSignal
}

const snapshotBytesAtOnce = 1024 * 1024

/**
 * Every write from there on, first a snapshot where the log does not reach back to it or tells another history. Throws
 * `logTruncated` at a reader that falls behind what the log holds, and `deposed` when the follower has a later epoch.
 */
export async function* log(store: Store, { from, signal }: ReadLogOptions): AsyncGenerator<Uint8Array> {
  const engine = loggedEngineOf(store)
  if (from !== undefined) await engine.fence(from.epoch)
  engine.checkOpen()
  signal?.addEventListener('abort', () => engine.wake(), { once: true })
  let at = from?.sequence ?? -1
  if (from === undefined || !engine.reaches(from)) at = yield* snapshot(engine)
  while (signal?.aborted !== true) {
    engine.checkOpen()
    const news = engine.news()
    const entry = engine.entryAfter(at)
    if (entry !== undefined) {
      yield encodeFrame({ kind: 'entry', position: entry.position, operations: entry.operations })
      at = entry.position.sequence
    } else if (at < engine.place.sequence) {
      const message = `The log no longer holds entry ${at + 1}: the follower was too slow and needs a snapshot`
      throw new StoreError('logTruncated', message)
    } else {
      await news
    }
  }
}

/** The follower has everything up to there on its disk. */
export function acknowledge(store: Store, position: Position): void {
  loggedEngineOf(store).acknowledge(position)
}

/** Where the store is in its log. */
export function logPosition(store: Store): Position {
  const { epoch, sequence, chain } = loggedEngineOf(store).place
  return { epoch, sequence, chain: chain.slice() }
}

/**
 * Tells a store of an epoch that another one has. A later one than its own deposes it, on disk: every write is refused
 * from then on, also after a restart. Whether it is deposed.
 */
export function fence(store: Store, epoch: number): Promise<boolean> {
  return loggedEngineOf(store).fence(epoch)
}

/** The sequence that it is of. */
async function* snapshot(engine: LoggedEngine): AsyncGenerator<Uint8Array, number> {
  const view = await engine.view()
  try {
    const place = await readPlace(view)
    if (place === undefined) throw new StoreError('corrupt', 'The store has lost its place in its log')
    yield encodeFrame({ kind: 'snapshotBegin', position: place })
    const hasher = new Bun.CryptoHasher('sha256')
    let index = 0
    for await (const rows of flatRowsOf(view.scan(everything), snapshotBytesAtOnce, placeKey)) {
      hasher.update(rows)
      yield encodeFrame({ kind: 'snapshotRows', index, rows })
      index += 1
    }
    yield encodeFrame({ kind: 'snapshotEnd', pieces: index, digest: new Uint8Array(hasher.digest()) })
    return place.sequence
  } finally {
    await view.close()
  }
}

function loggedEngineOf(store: Store): LoggedEngine {
  const engine = engineOf(store)
  if (engine instanceof LoggedEngine) return engine
  throw new TypeError('This store has no log: open it with `log`')
}
