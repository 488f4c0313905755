/**
 * RocksDB itself, as the database thread drives it. The binding has no snapshot objects, but an iterator sees the
 * database as it was when it was made; a view is therefore one iterator in each direction, sought anew per read.
 */
import { readdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RocksBatch, RocksIterator, RocksLevel } from '@nxtedition/rocksdb'
import type { KeyRange, Values } from '../engine.ts'
import { readOperations } from '../operations.ts'
import { StoreError } from '../storeError.ts'
import { toStoreError, unsupportedPlatform } from './failure.ts'

const buffers = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
const pageBytes = 256 * 1024
const deletePageRows = 1_000
/** Room for the manifest, options and a first log, beside what is written out. */
const reopenBytes = 8 * 1024 * 1024
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
  const open = async (): Promise<RocksLevel> => {
    const level = new RocksLevel(path, buffers)
    try {
      await level.open(openOptions)
    } catch (error) {
      throw toStoreError(`open ${path}`, error)
    }
    return level
  }
  return new Database(path, await open(), open)
}

export class Database {
  readonly #path: string
  readonly #open: () => Promise<RocksLevel>
  readonly #scans = new Map<number, RocksIterator>()
  readonly #views = new Map<number, OpenView>()
  /** `undefined` only while, or after, opening again did not succeed. */
  #level: RocksLevel | undefined
  /** Why writes are refused: RocksDB takes none after one failed, until it is opened again. */
  #full: StoreError | undefined
  #reopening: Promise<void> | undefined

  constructor(path: string, level: RocksLevel, open: () => Promise<RocksLevel>) {
    this.#path = path
    this.#level = level
    this.#open = open
  }

  /** Reads that arrive while the database is opened again wait for it here. */
  get reopening(): Promise<void> | undefined {
    return this.#reopening
  }

  async commit(batches: readonly Uint8Array[], sync: boolean): Promise<void> {
    if (this.#full !== undefined) await this.#openAgain(this.#full)
    const level = this.#here()
    try {
      const batch = level.batch()
      fill(level, batch, batches)
      await batch.write({ sync })
    } catch (error) {
      const named = toStoreError('write', error)
      if (named.kind === 'diskFull') this.#full = named
      throw named
    }
  }

  getMany(keys: readonly Uint8Array[]): Values {
    return this.#here()._getManySync(keys, buffers)
  }

  openScan(reader: number, { gte, lt, reverse }: KeyRange): void {
    // Bounds that the iterator knows keep it from walking over deleted rows beyond them.
    this.#scans.set(
      reader,
      this.#here().iterator({ ...buffers, highWaterMarkBytes: pageBytes, gte, lt, reverse }),
    )
  }

  scan(reader: number, rowsMax: number): FlatPage {
    const { rows, finished } = found(this.#scans, reader)._nextvSync(rowsMax)
    return { flat: rows, finished }
  }

  openView(reader: number): void {
    const options = { ...buffers, highWaterMarkBytes: pageBytes }
    const forward = this.#here().iterator(options)
    const backward = this.#here().iterator({ ...options, reverse: true })
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
    const level = this.#level
    // Closing releases it in any case; the binding calls it open still when its last flush failed, and then crashes.
    this.#level = undefined
    await level?.close().catch((error: unknown) => {
      // What was acknowledged is in the log already.
      if (this.#full === undefined) throw error
    })
  }

  #here(): RocksLevel {
    if (this.#level !== undefined) return this.#level
    throw this.#full ?? new StoreError('closed', 'The store is closed')
  }

  /**
   * Only once there is room for what the log holds: opening writes that out, and a database that fails to open
   * cannot be read either. Snapshots and iterations of the old opening end.
   */
  async #openAgain(full: StoreError): Promise<void> {
    const { logBytes, freeBytes } = roomAt(this.#path)
    if (this.#level !== undefined && freeBytes < logBytes + logBytes / 4 + reopenBytes) throw full
    this.#reopening = (async () => {
      await this.close()
      this.#level = await this.#open()
      this.#full = undefined
    })()
    try {
      await this.#reopening
    } finally {
      this.#reopening = undefined
    }
  }
}

function fill(level: RocksLevel, batch: RocksBatch, batches: readonly Uint8Array[]): void {
  let index = 0
  const sink = {
    put(key: Uint8Array, value: Uint8Array): void {
      index += 1
      batch._put(key, value)
    },
    delete(key: Uint8Array): void {
      index += 1
      batch._del(key)
    },
    deleteRange(gte: Uint8Array, lt: Uint8Array): void {
      deleteStored(level, batch, gte, lt)
      deletePut(batch, batches, index, gte, lt)
      index += 1
    },
  }
  for (const bytes of batches) readOperations(bytes, sink)
}

/** The binding's batch knows no range deletion, and the one it has beside batches is not atomic with them. */
function deleteStored(level: RocksLevel, batch: RocksBatch, gte: Uint8Array, lt: Uint8Array): void {
  if (Buffer.compare(gte, lt) >= 0) return
  const iterator = level.iterator({ ...buffers, highWaterMarkBytes: pageBytes, gte, lt, values: false })
  try {
    let finished = false
    while (!finished) {
      const page = iterator._nextvSync(deletePageRows)
      for (let at = 0; at < page.rows.length; at += 2) {
        const key = page.rows[at]
        if (key !== undefined) batch._del(key)
      }
      finished = page.finished
    }
  } finally {
    iterator._closeSync()
  }
}

/** What the same commit put into the range before its deletion is not in the database yet. */
function deletePut(
  batch: RocksBatch,
  batches: readonly Uint8Array[],
  before: number,
  gte: Uint8Array,
  lt: Uint8Array,
): void {
  let index = 0
  const skip = (): void => {
    index += 1
  }
  const sink = {
    put(key: Uint8Array): void {
      if (index < before && Buffer.compare(key, gte) >= 0 && Buffer.compare(key, lt) < 0) batch._del(key)
      index += 1
    },
    delete: skip,
    deleteRange: skip,
  }
  for (const bytes of batches) {
    if (index >= before) return
    readOperations(bytes, sink)
  }
}

function roomAt(path: string): { readonly logBytes: number; readonly freeBytes: number } {
  let logBytes = 0
  for (const name of readdirSync(path)) {
    if (name.endsWith('.log')) logBytes += statSync(join(path, name)).size
  }
  const { bavail, bsize } = statfsSync(path)
  return { logBytes, freeBytes: bavail * bsize }
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
