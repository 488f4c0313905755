/**
 * The memory twin: the same behaviour without a disk, for tests and simulations. Rows are a sorted array that is
 * never changed once a reader holds it (the next commit copies it first), so a snapshot costs nothing to take.
 */
import type { Engine, KeyRange, Page, Scan, Values, View } from './engine.ts'
import { readOperations } from './operations.ts'
import type { Entry } from './store.ts'

export function openMemoryEngine(): Engine {
  return new MemoryEngine()
}

class MemoryEngine implements Engine {
  #rows: Entry[] = []
  #shared = false

  async getMany(keys: readonly Uint8Array[]): Promise<Values> {
    return valuesOf(this.#rows, keys)
  }

  scan(range: KeyRange): Scan {
    this.#shared = true
    return new MemoryScan(this.#rows, range)
  }

  async view(): Promise<View> {
    this.#shared = true
    const rows = this.#rows
    return {
      getMany: async (keys) => valuesOf(rows, keys),
      scan: (range) => new MemoryScan(rows, range),
      close: async () => {},
    }
  }

  async commit(batches: readonly Uint8Array[]): Promise<void> {
    if (this.#shared) {
      this.#rows = this.#rows.slice()
      this.#shared = false
    }
    const rows = this.#rows
    const sink = {
      put(key: Uint8Array, value: Uint8Array): void {
        const at = firstFrom(rows, key)
        const entry = { key: key.slice(), value: value.slice() }
        rows.splice(at, holds(rows, at, key) ? 1 : 0, entry)
      },
      delete(key: Uint8Array): void {
        const at = firstFrom(rows, key)
        if (holds(rows, at, key)) rows.splice(at, 1)
      },
      deleteRange(gte: Uint8Array, lt: Uint8Array): void {
        const from = firstFrom(rows, gte)
        rows.splice(from, Math.max(0, firstFrom(rows, lt) - from))
      },
    }
    for (const batch of batches) readOperations(batch, sink)
  }

  async close(): Promise<void> {
    this.#rows = []
  }
}

class MemoryScan implements Scan {
  readonly #rows: readonly Entry[]
  readonly #reverse: boolean
  #from: number
  #to: number

  constructor(rows: readonly Entry[], range: KeyRange) {
    this.#rows = rows
    this.#reverse = range.reverse
    this.#from = firstFrom(rows, range.gte)
    this.#to = Math.max(this.#from, firstFrom(rows, range.lt))
  }

  async next(rowsMax: number): Promise<Page> {
    const count = Math.min(rowsMax, this.#to - this.#from)
    const start = this.#reverse ? this.#to - count : this.#from
    const rows = this.#rows
      .slice(start, start + count)
      .map(({ key, value }) => ({ key, value: value.slice() }))
    if (this.#reverse) {
      rows.reverse()
      this.#to -= count
    } else {
      this.#from += count
    }
    return { rows, finished: this.#from === this.#to }
  }

  async close(): Promise<void> {
    this.#to = this.#from
  }
}

function valuesOf(rows: readonly Entry[], keys: readonly Uint8Array[]): Values {
  return keys.map((key) => {
    const at = firstFrom(rows, key)
    return holds(rows, at, key) ? rows[at]?.value.slice() : undefined
  })
}

/** The index of the first row whose key is not below `key`. */
function firstFrom(rows: readonly Entry[], key: Uint8Array): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const row = rows[middle]
    if (row !== undefined && Buffer.compare(row.key, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function holds(rows: readonly Entry[], at: number, key: Uint8Array): boolean {
  const row = rows[at]
  return row !== undefined && Buffer.compare(row.key, key) === 0
}
