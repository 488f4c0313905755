/**
 * An engine that remembers what it committed, for followers: the last entries, in memory and bounded. What a store
 * writes about itself, schema and migrations included, goes through here too, so a follower gets all of it.
 */
import type { EncodedBatch, Engine, KeyRange, Scan, Values, View } from '../engine.ts'
import { StoreError } from '../storeError.ts'
import {
  chainBytes,
  encodePlace,
  nextChain,
  type Place,
  type Position,
  readPlace,
  sameBytes,
} from './position.ts'

export interface LogOptions {
  /** What the log holds at most; a follower that is further behind gets a snapshot. Default 64 MiB. */
  readonly bytesMax?: number
  /** How long a write with `sync: 'acknowledged'` waits for a follower. Default 5,000. */
  readonly acknowledgeMs?: number
}

export interface LogEntry {
  readonly position: Position
  readonly before: Uint8Array
  readonly operations: Uint8Array<ArrayBuffer>
}

interface Waiting {
  readonly sequence: number
  readonly resolve: () => void
  readonly reject: (error: StoreError) => void
}

/**
 * Makes a writer of the store, or refuses to: one that follows another, or was deposed. Without a log, history from
 * here on is unknown to followers, so it gets a chain that none of them has.
 */
export async function takePrimaryPlace(engine: Engine, log: LogOptions | undefined): Promise<Engine> {
  const place = await readPlace(engine)
  if (place?.role === 'deposed') throw deposed(place.epoch)
  if (place !== undefined && place.role !== 'primary') {
    const message = 'The store follows a primary: writing to it would part the two. Promote it first'
    throw new StoreError('notPrimary', message)
  }
  if (log !== undefined) return new LoggedEngine(engine, place, log)
  if (place !== undefined) await engine.commit([encodePlace({ ...place, chain: newChain() })], true)
  return engine
}

export class LoggedEngine implements Engine {
  readonly #engine: Engine
  readonly #bytesMax: number
  readonly #acknowledgeMs: number
  #place: Place
  #stored: boolean
  #entries: LogEntry[] = []
  #bytes = 0
  /** A commit that failed may be there all the same; the next one looks. */
  #unsure: LogEntry | undefined
  #last: Promise<unknown> = Promise.resolve()
  #acknowledged = -1
  #waiting: Waiting[] = []
  #news = Promise.withResolvers<void>()
  #closed = false

  constructor(
    engine: Engine,
    place: Place | undefined,
    { bytesMax = 64 * 1024 * 1024, acknowledgeMs = 5_000 }: LogOptions,
  ) {
    this.#engine = engine
    this.#bytesMax = bytesMax
    this.#acknowledgeMs = acknowledgeMs
    this.#stored = place !== undefined
    this.#place = place ?? { role: 'primary', epoch: 1, sequence: 0, chain: newChain() }
  }

  get place(): Place {
    return this.#place
  }

  getMany(keys: readonly Uint8Array[]): Promise<Values> {
    return this.#engine.getMany(keys)
  }

  scan(range: KeyRange): Scan {
    return this.#engine.scan(range)
  }

  view(): Promise<View> {
    return this.#engine.view()
  }

  commit(batches: readonly EncodedBatch[], sync: boolean): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#place.role === 'deposed') throw deposed(this.#place.epoch)
      await this.#makeSure()
      const operations = joined(batches)
      const { epoch, chain: before } = this.#place
      const at = { epoch, sequence: this.#place.sequence + 1 }
      const position = { ...at, chain: nextChain(before, at, operations) }
      const entry = { position, before, operations }
      try {
        await this.#engine.commit([...batches, encodePlace({ role: 'primary', ...position })], sync)
      } catch (error) {
        this.#unsure = entry
        throw error
      }
      this.#add(entry)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#news.resolve()
    this.#refuse(() => new StoreError('closed', 'The store is closed'))
    await this.#last.catch(() => {})
    await this.#engine.close()
  }

  /** A store that wrote nothing since it was opened has its place on disk too. */
  settle(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#stored) await this.#engine.commit([encodePlace(this.#place)], true)
      this.#stored = true
    })
  }

  /** Whether a follower there can go on with entries: its history is the beginning of ours. */
  reaches({ sequence, chain }: Position): boolean {
    if (sequence === this.#place.sequence) return sameBytes(chain, this.#place.chain)
    const next = this.entryAfter(sequence)
    return next !== undefined && sameBytes(next.before, chain)
  }

  entryAfter(sequence: number): LogEntry | undefined {
    const first = this.#entries[0]
    return first === undefined ? undefined : this.#entries[sequence + 1 - first.position.sequence]
  }

  /** Resolves when there is more to read, or nothing more will come. */
  news(): Promise<void> {
    return this.#news.promise
  }

  checkOpen(): void {
    if (this.#closed) throw new StoreError('closed', 'The store is closed')
    if (this.#place.role === 'deposed') throw deposed(this.#place.epoch)
  }

  acknowledge(position: Position): void {
    const { sequence, chain } = position
    const known = sequence === this.#place.sequence ? this.#place : this.entryAfter(sequence - 1)?.position
    if (sequence > this.#place.sequence || (known !== undefined && !sameBytes(known.chain, chain))) {
      const message = `A follower says it has entry ${sequence} of another history: give it a snapshot`
      throw new StoreError('logCorrupt', message)
    }
    this.#acknowledged = Math.max(this.#acknowledged, sequence)
    const arrived = this.#waiting.filter((waiting) => waiting.sequence <= this.#acknowledged)
    this.#waiting = this.#waiting.filter((waiting) => waiting.sequence > this.#acknowledged)
    for (const { resolve } of arrived) resolve()
  }

  /** Until a follower has all that is committed now. */
  async acknowledged(): Promise<void> {
    this.checkOpen()
    const { sequence } = this.#place
    if (sequence <= this.#acknowledged) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting: Waiting = { sequence, resolve, reject }
    this.#waiting.push(waiting)
    const timer = setTimeout(() => {
      this.#waiting = this.#waiting.filter((each) => each !== waiting)
      const message = `The write is on disk here, but no follower has acknowledged it in ${this.#acknowledgeMs} ms`
      reject(new StoreError('unacknowledged', message))
    }, this.#acknowledgeMs)
    await promise.finally(() => clearTimeout(timer))
  }

  /** Whether the store may no longer be written to. On disk when it resolves. */
  fence(epoch: number): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#place.role !== 'deposed' && epoch > this.#place.epoch) {
        this.#place = { ...this.#place, role: 'deposed', epoch }
        this.#refuse(() => deposed(epoch))
        this.wake()
        await this.#engine.commit([encodePlace(this.#place)], true)
      }
      return this.#place.role === 'deposed'
    })
  }

  async #makeSure(): Promise<void> {
    const entry = this.#unsure
    if (entry === undefined) return
    const stored = await readPlace(this.#engine)
    this.#unsure = undefined
    if (stored !== undefined && sameBytes(stored.chain, entry.position.chain)) this.#add(entry)
  }

  #add(entry: LogEntry): void {
    this.#stored = true
    this.#place = { role: 'primary', ...entry.position }
    this.#entries.push(entry)
    this.#bytes += entry.operations.byteLength
    while (this.#bytes > this.#bytesMax) this.#bytes -= this.#entries.shift()?.operations.byteLength ?? 0
    this.wake()
  }

  /** Lets readers of the log look again. */
  wake(): void {
    const { resolve } = this.#news
    if (!this.#closed) this.#news = Promise.withResolvers<void>()
    resolve()
  }

  #refuse(reason: () => StoreError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(reason())
  }

  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(act, act)
    this.#last = turn.catch(() => {})
    return turn
  }
}

function deposed(epoch: number): StoreError {
  return new StoreError(
    'deposed',
    `Another store was promoted, in epoch ${epoch}: this one takes no more writes`,
  )
}

function newChain(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(chainBytes))
}

/** A copy: the batches themselves move to the database thread. */
function joined(batches: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(batches.reduce((sum, batch) => sum + batch.byteLength, 0))
  let at = 0
  for (const batch of batches) {
    out.set(batch, at)
    at += batch.byteLength
  }
  return out
}
