/**
 * RocksDB itself, as the database thread drives it. The binding has no snapshot objects, but an iterator sees the
 * database as it was when it was made; a view is therefore one iterator in each direction, sought anew per read.
 */
import type { RocksIterator, RocksLevel } from '@nxtedition/rocksdb'
import type { KeyRange, Values } from '../engine.ts'
import { readOperations } from '../operations.ts'
import { StoreError } from '../storeError.ts'
import { toStoreError, unsupportedPlatform } from './failure.ts'

const buffers = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
const pageBytes = 256 * 1024
/**
 * Modest on purpose: the whole orchestrator is to idle below 120 MB. A quarter of the budget is one write buffer,
 * of which up to six exist under load; the block cache grows only as blocks are read.
 */
const openOptions = {
  createIfMissing: true,
  compaction: 'level',
  memtableMemoryBudget: 32 * 1024 * 1024,
  cacheSize: 8 * 1024 * 1024,
  parallelism: 2,
  walCompression: false,
} as const

export type LoadBinding = () => Promise<{ readonly RocksLevel: typeof RocksLevel }>

export interface FlatPage {
  /** Keys and values in turn. */
  readonly flat: readonly Uint8Array[]
  readonly finished: boolean
}

interface OpenView {
  readonly forward: RocksIterator
  readonly backward: RocksIterator
}

export async function openDatabase(path: string, load: LoadBinding): Promise<Database> {
  const { RocksLevel } = await load().catch((cause: unknown) => {
    throw unsupportedPlatform(`${process.platform} ${process.arch}`, cause)
  })
  const level = new RocksLevel(path, buffers)
  try {
    await level.open(openOptions)
  } catch (error) {
    throw toStoreError(`open ${path}`, error)
  }
  return new Database(level)
}

export class Database {
  readonly #level: RocksLevel
  readonly #scans = new Map<number, RocksIterator>()
  readonly #views = new Map<number, OpenView>()

  constructor(level: RocksLevel) {
    this.#level = level
  }

  async commit(batches: readonly Uint8Array[], sync: boolean): Promise<void> {
    const batch = this.#level.batch()
    const sink = {
      put: (key: Uint8Array, value: Uint8Array) => batch._put(key, value),
      delete: (key: Uint8Array) => batch._del(key),
    }
    for (const bytes of batches) readOperations(bytes, sink)
    await batch.write({ sync })
  }

  getMany(keys: readonly Uint8Array[]): Values {
    return this.#level._getManySync(keys, buffers)
  }

  openScan(reader: number, { gte, lt, reverse }: KeyRange): void {
    // Bounds that the iterator knows keep it from walking over deleted rows beyond them.
    this.#scans.set(
      reader,
      this.#level.iterator({ ...buffers, highWaterMarkBytes: pageBytes, gte, lt, reverse }),
    )
  }

  scan(reader: number, rowsMax: number): FlatPage {
    const { rows, finished } = found(this.#scans, reader)._nextvSync(rowsMax)
    return { flat: rows, finished }
  }

  openView(reader: number): void {
    const options = { ...buffers, highWaterMarkBytes: pageBytes }
    const forward = this.#level.iterator(options)
    const backward = this.#level.iterator({ ...options, reverse: true })
    this.#views.set(reader, { forward, backward })
  }

  viewGetMany(reader: number, keys: readonly Uint8Array[]): Values {
    const { forward } = found(this.#views, reader)
    return keys.map((key) => {
      forward._seekSync(key)
      const [foundKey, value] = forward._nextvSync(1).rows
      return foundKey !== undefined && Buffer.compare(foundKey, key) === 0 ? value : undefined
    })
  }

  viewScan(reader: number, range: KeyRange, rowsMax: number): FlatPage {
    const { forward, backward } = found(this.#views, reader)
    return range.reverse ? scanBack(backward, range, rowsMax) : scanOn(forward, range, rowsMax)
  }

  async closeReader(reader: number): Promise<void> {
    const scan = this.#scans.get(reader)
    const view = this.#views.get(reader)
    this.#scans.delete(reader)
    this.#views.delete(reader)
    await Promise.all([scan?.close(), view?.forward.close(), view?.backward.close()])
  }

  async close(): Promise<void> {
    const readers = [...this.#scans.keys(), ...this.#views.keys()]
    for (const reader of readers) await this.closeReader(reader)
    await this.#level.close()
  }
}

function found<Reader>(readers: ReadonlyMap<number, Reader>, reader: number): Reader {
  const open = readers.get(reader)
  if (open === undefined) throw new StoreError('closed', 'The snapshot or iteration is closed')
  return open
}

function scanOn(iterator: RocksIterator, { gte, lt }: KeyRange, rowsMax: number): FlatPage {
  iterator._seekSync(gte)
  const { rows, finished } = iterator._nextvSync(rowsMax)
  const flat: Uint8Array[] = []
  for (let index = 0; index < rows.length; index += 2) {
    const key = rows[index]
    const value = rows[index + 1]
    if (key === undefined || value === undefined || Buffer.compare(key, lt) >= 0)
      return { flat, finished: true }
    flat.push(key, value)
  }
  return { flat, finished }
}

function scanBack(iterator: RocksIterator, { gte, lt }: KeyRange, rowsMax: number): FlatPage {
  // Finds the last key at or below `lt`, which itself is not wanted: one more row makes up for it.
  iterator._seekSync(lt)
  const { rows, finished } = iterator._nextvSync(rowsMax + 1)
  const flat: Uint8Array[] = []
  for (let index = 0; index < rows.length; index += 2) {
    const key = rows[index]
    const value = rows[index + 1]
    if (key === undefined || value === undefined || Buffer.compare(key, gte) < 0)
      return { flat, finished: true }
    if (Buffer.compare(key, lt) >= 0) continue
    if (flat.length === 2 * rowsMax) return { flat, finished: false }
    flat.push(key, value)
  }
  return { flat, finished }
}
