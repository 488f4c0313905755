/**
 * RocksDB itself, as the database thread drives it. The binding has no snapshot objects, but an iterator sees the
 * database as it was when it was made; a view is therefore one iterator in each direction, sought anew per read, in
 * each column. Calls here are synchronous, so that iterators made in one go see one moment.
 */
import { readdirSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RocksBatch, RocksIterator, RocksLevel } from '@nxtedition/rocksdb'
import type { KeyRange, Values } from '../engine.ts'
import { readOperations } from '../operations.ts'
import { StoreError } from '../storeError.ts'
import { columnNumberFirst } from '../tableIds.ts'
import { type Columns, columnOf, columnsOf, openOptions, partsOf } from './columns.ts'
import { toStoreError, unsupportedPlatform } from './failure.ts'

const buffers = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
const pageBytes = 256 * 1024
const deletePageRows = 1_000
/** Room for the manifest, options and a first log, beside what is written out. */
const reopenBytes = 8 * 1024 * 1024
export type LoadBinding = () => Promise<{ readonly RocksLevel: typeof RocksLevel }>

export interface FlatPage {
  /** Keys and values in turn. */
  readonly flat: readonly Uint8Array[]
  readonly finished: boolean
}

interface Opened {
  readonly level: RocksLevel
  readonly columns: Columns
}

interface OpenScan {
  /** One for each column, in the order in which they are read. */
  readonly iterators: readonly RocksIterator[]
  at: number
}

/** Of each column. */
type OpenView = readonly { readonly forward: RocksIterator; readonly backward: RocksIterator }[]

export async function openDatabase(path: string, load: LoadBinding): Promise<Database> {
  const { RocksLevel } = await load().catch((cause: unknown) => {
    throw unsupportedPlatform(`${process.platform} ${process.arch}`, cause)
  })
  const open = async (): Promise<Opened> => {
    const level = new RocksLevel(path, buffers)
    try {
      await level.open(openOptions)
    } catch (error) {
      throw toStoreError(`open ${path}`, error)
    }
    const opened = { level, columns: columnsOf(level) }
    try {
      refuseMisplaced(opened)
    } catch (error) {
      await level.close()
      throw error
    }
    return opened
  }
  return new Database(path, await open(), open)
}

export class Database {
  readonly #path: string
  readonly #open: () => Promise<Opened>
  readonly #scans = new Map<number, OpenScan>()
  readonly #views = new Map<number, OpenView>()
  /** `undefined` only while, or after, opening again did not succeed. */
  #opened: Opened | undefined
  /** Why writes are refused: RocksDB takes none after one failed, until it is opened again. */
  #full: StoreError | undefined
  #reopening: Promise<void> | undefined

  constructor(path: string, opened: Opened, open: () => Promise<Opened>) {
    this.#path = path
    this.#opened = opened
    this.#open = open
  }

  /** Reads that arrive while the database is opened again wait for it here. */
  get reopening(): Promise<void> | undefined {
    return this.#reopening
  }

  async commit(batches: readonly Uint8Array[], sync: boolean): Promise<void> {
    if (this.#full !== undefined) await this.#openAgain(this.#full)
    const opened = this.#here()
    try {
      const batch = opened.level.batch()
      fill(opened, batch, batches)
      await batch.write({ sync })
    } catch (error) {
      const named = toStoreError('write', error)
      if (named.kind === 'diskFull') this.#full = named
      throw named
    }
  }

  getMany(keys: readonly Uint8Array[]): Values {
    const { level, columns } = this.#here()
    const [first] = keys
    if (first === undefined) return []
    const column = columnOf(first)
    if (keys.every((key) => columnOf(key) === column)) {
      return level._getManySync(keys, { ...buffers, ...at(columns, column) })
    }
    return keys.flatMap((key) => level._getManySync([key], { ...buffers, ...at(columns, columnOf(key)) }))
  }

  openScan(reader: number, keyRange: KeyRange): void {
    const { level, columns } = this.#here()
    // Bounds that the iterator knows keep it from walking over deleted rows beyond them.
    const iterators = partsOf(keyRange).map(({ column, range }) =>
      level.iterator({ ...buffers, highWaterMarkBytes: pageBytes, ...at(columns, column), ...range }),
    )
    this.#scans.set(reader, { iterators, at: 0 })
  }

  scan(reader: number, rowsMax: number): FlatPage {
    const scan = found(this.#scans, reader)
    for (;;) {
      const { rows, finished } = at(scan.iterators, scan.at)._nextvSync(rowsMax)
      const isLast = scan.at === scan.iterators.length - 1
      if (finished && !isLast) scan.at += 1
      if (rows.length > 0 || !finished || isLast) return { flat: rows, finished: finished && isLast }
    }
  }

  openView(reader: number): void {
    const { level, columns } = this.#here()
    const options = { ...buffers, highWaterMarkBytes: pageBytes }
    const view = columns.map((column) => ({
      forward: level.iterator({ ...options, ...column }),
      backward: level.iterator({ ...options, ...column, reverse: true }),
    }))
    this.#views.set(reader, view)
  }

  viewGetMany(reader: number, keys: readonly Uint8Array[]): Values {
    const view = found(this.#views, reader)
    return keys.map((key) => {
      const { forward } = at(view, columnOf(key))
      forward._seekSync(key)
      const [foundKey, value] = forward._nextvSync(1).rows
      return foundKey !== undefined && Buffer.compare(foundKey, key) === 0 ? value : undefined
    })
  }

  viewScan(reader: number, keyRange: KeyRange, rowsMax: number): FlatPage {
    const view = found(this.#views, reader)
    const parts = partsOf(keyRange)
    for (const [index, { column, range }] of parts.entries()) {
      const { forward, backward } = at(view, column)
      const page = range.reverse ? scanBack(backward, range, rowsMax) : scanOn(forward, range, rowsMax)
      if (page.flat.length === 0 && page.finished) continue
      return { flat: page.flat, finished: page.finished && index === parts.length - 1 }
    }
    return { flat: [], finished: true }
  }

  async closeReader(reader: number): Promise<void> {
    const scan = this.#scans.get(reader)
    const view = this.#views.get(reader)
    this.#scans.delete(reader)
    this.#views.delete(reader)
    const iterators = [
      ...(scan?.iterators ?? []),
      ...(view ?? []).flatMap(({ forward, backward }) => [forward, backward]),
    ]
    await Promise.all(iterators.map((iterator) => iterator.close()))
  }

  async close(): Promise<void> {
    const readers = [...this.#scans.keys(), ...this.#views.keys()]
    for (const reader of readers) await this.closeReader(reader)
    const level = this.#opened?.level
    // Closing releases it in any case; the binding calls it open still when its last flush failed, and then crashes.
    this.#opened = undefined
    await level?.close().catch((error: unknown) => {
      // What was acknowledged is in the log already.
      if (this.#full === undefined) throw error
    })
  }

  #here(): Opened {
    if (this.#opened !== undefined) return this.#opened
    throw this.#full ?? new StoreError('closed', 'The store is closed')
  }

  /**
   * Only once there is room for what the log holds: opening writes that out, and a database that fails to open
   * cannot be read either. Snapshots and iterations of the old opening end.
   */
  async #openAgain(full: StoreError): Promise<void> {
    const { logBytes, freeBytes } = roomAt(this.#path)
    if (this.#opened !== undefined && freeBytes < logBytes + logBytes / 4 + reopenBytes) throw full
    this.#reopening = (async () => {
      await this.close()
      this.#opened = await this.#open()
      this.#full = undefined
    })()
    try {
      await this.#reopening
    } finally {
      this.#reopening = undefined
    }
  }
}

/**
 * A program that knew no columns, but copied or followed a store of one that does, put everything into the first:
 * there it would be found no more.
 */
function refuseMisplaced({ level, columns }: Opened): void {
  const gte = Uint8Array.of(columnNumberFirst)
  const options = { ...buffers, highWaterMarkBytes: pageBytes, values: false }
  const iterator = level.iterator({ ...options, ...at(columns, 0), gte })
  try {
    if (iterator._nextvSync(1).rows.length === 0) return
  } finally {
    iterator._closeSync()
  }
  throw new StoreError(
    'schemaMismatch',
    'An older program restored or followed a newer store here, and put rows where they are not found: ' +
      'restore the backup with this program, or follow again from an empty folder',
  )
}

function fill({ level, columns }: Opened, batch: RocksBatch, batches: readonly Uint8Array[]): void {
  let index = 0
  const sink = {
    put(key: Uint8Array, value: Uint8Array): void {
      index += 1
      batch._put(key, value, at(columns, columnOf(key)))
    },
    delete(key: Uint8Array): void {
      index += 1
      batch._del(key, at(columns, columnOf(key)))
    },
    deleteRange(gte: Uint8Array, lt: Uint8Array): void {
      for (const { column, range } of partsOf({ gte, lt, reverse: false })) {
        deleteStored(level, batch, at(columns, column), range)
      }
      deletePut(columns, batch, batches, index, gte, lt)
      index += 1
    },
  }
  for (const bytes of batches) readOperations(bytes, sink)
}

/** The binding's batch knows no range deletion, and the one it has beside batches is not atomic with them. */
function deleteStored(level: RocksLevel, batch: RocksBatch, where: Columns[number], range: KeyRange): void {
  if (Buffer.compare(range.gte, range.lt) >= 0) return
  const options = { ...buffers, highWaterMarkBytes: pageBytes, values: false }
  const iterator = level.iterator({ ...options, ...where, ...range })
  try {
    let finished = false
    while (!finished) {
      const page = iterator._nextvSync(deletePageRows)
      for (let index = 0; index < page.rows.length; index += 2) {
        const key = page.rows[index]
        if (key !== undefined) batch._del(key, where)
      }
      finished = page.finished
    }
  } finally {
    iterator._closeSync()
  }
}

/** What the same commit put into the range before its deletion is not in the database yet. */
function deletePut(
  columns: Columns,
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
      if (index < before && Buffer.compare(key, gte) >= 0 && Buffer.compare(key, lt) < 0)
        batch._del(key, at(columns, columnOf(key)))
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

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index]
  if (item === undefined) throw new Error(`there is no item ${index} of ${items.length}`)
  return item
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
