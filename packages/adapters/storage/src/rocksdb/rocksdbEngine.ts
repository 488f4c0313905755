/**
 * The RocksDB engine as the rest of the process sees it: requests to the database thread and their answers.
 * If that thread ends, whatever waits and whatever comes later is rejected with `crashed`: it is never silent.
 */
import type { EncodedBatch, Engine, KeyRange, Page, Scan, Values, View } from '../engine.ts'
import { StoreError } from '../storeError.ts'
import type { Answer, Answered, Request, Sent } from './messages.ts'
import { decodeRows, decodeValues } from './rows.ts'

export async function openRocksdbEngine(path: string): Promise<Engine> {
  return connectRocksdbEngine(new Worker(new URL('./worker.ts', import.meta.url).href), path)
}

/** Takes the thread over: it is ended when opening fails and when the engine closes. */
export async function connectRocksdbEngine(thread: Worker, path: string): Promise<Engine> {
  const engine = new RocksdbEngine(thread)
  try {
    await engine.ask({ kind: 'open', path })
    return engine
  } catch (error) {
    engine.end()
    throw error
  }
}

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: StoreError) => void
}

class RocksdbEngine implements Engine {
  readonly #thread: Worker
  readonly #waiting = new Map<number, Waiting>()
  #ended: StoreError | undefined
  #nextId = 0
  #nextReader = 0

  constructor(thread: Worker) {
    this.#thread = thread
    thread.onmessage = ({ data }: MessageEvent<Answered>) => this.#receive(data)
    thread.onmessageerror = () => this.#crash('sent a message that cannot be read')
    thread.onerror = (event) => {
      event.preventDefault()
      this.#crash(`failed: ${event.message}`, event.error)
    }
    thread.addEventListener('close', () => this.#crash('ended by itself'))
  }

  async getMany(keys: readonly Uint8Array[]): Promise<Values> {
    return valuesOf(await this.ask({ kind: 'getMany', keys }))
  }

  scan(range: KeyRange): Scan {
    const reader = this.#newReader()
    const opened = this.ask({ kind: 'openScan', reader, range })
    // Reported by the first page; without one there is nobody to tell.
    opened.catch(() => {})
    return {
      next: async (rowsMax) => {
        const answer = this.ask({ kind: 'scan', reader, rowsMax })
        await Promise.all([opened, answer])
        return pageOf(await answer)
      },
      close: () => this.#closeReader(reader),
    }
  }

  async view(): Promise<View> {
    const reader = this.#newReader()
    await this.ask({ kind: 'openView', reader })
    return {
      getMany: async (keys) => valuesOf(await this.ask({ kind: 'viewGetMany', reader, keys })),
      scan: (range) =>
        scanInPages(range, async (rest, rowsMax) =>
          pageOf(await this.ask({ kind: 'viewScan', reader, range: rest, rowsMax })),
        ),
      close: () => this.#closeReader(reader),
    }
  }

  async commit(batches: readonly EncodedBatch[], sync: boolean): Promise<void> {
    const moved = batches.map((batch) => batch.buffer)
    await this.ask({ kind: 'commit', batches, sync }, moved)
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return
    try {
      await this.ask({ kind: 'close' })
    } finally {
      this.end()
    }
  }

  ask(request: Request, moved: Bun.Transferable[] = []): Promise<Answer> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#waiting.set(id, { resolve, reject })
    const sent: Sent = { id, request }
    this.#thread.postMessage(sent, moved)
    return promise
  }

  end(reason = new StoreError('closed', 'The store is closed')): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    for (const { reject } of this.#waiting.values()) reject(reason)
    this.#waiting.clear()
    this.#thread.terminate()
  }

  #newReader(): number {
    return this.#nextReader++
  }

  async #closeReader(reader: number): Promise<void> {
    // Nobody waits for it, and a store that is gone has closed its readers too.
    if (this.#ended === undefined) this.ask({ kind: 'closeReader', reader }).catch(() => {})
  }

  #receive({ id, answer }: Answered): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (answer.kind === 'failed') {
      const { errorKind, message, cause } = answer
      waiting?.reject(new StoreError(errorKind, message, { cause: new Error(cause) }))
    } else {
      waiting?.resolve(answer)
    }
  }

  #crash(what: string, cause?: unknown): void {
    this.end(new StoreError('crashed', `The database thread ${what}. Start the process again`, { cause }))
  }
}

/** Each page begins where the last one ended: the thread keeps no position for it. */
function scanInPages(range: KeyRange, read: (rest: KeyRange, rowsMax: number) => Promise<Page>): Scan {
  let rest = range
  return {
    async next(rowsMax) {
      const page = await read(rest, rowsMax)
      const last = page.rows.at(-1)
      if (last !== undefined)
        rest = range.reverse ? { ...rest, lt: last.key } : { ...rest, gte: after(last.key) }
      return page
    },
    async close() {},
  }
}

/** The next possible key. */
function after(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.byteLength + 1)
  next.set(key)
  return next
}

function valuesOf(answer: Answer): Values {
  if (answer.kind !== 'values') throw unexpected(answer)
  return decodeValues(answer.bytes)
}

function pageOf(answer: Answer): Page {
  if (answer.kind !== 'page') throw unexpected(answer)
  return { rows: decodeRows(answer.bytes), finished: answer.finished }
}

function unexpected(answer: Answer): Error {
  return new Error(`The database thread answered with '${answer.kind}'`)
}
