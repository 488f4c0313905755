/**
 * Builds the store that callers see from an engine's flat key space: a table is the first byte of its keys.
 * Owns the checks before a call, what `closed` means, and how many readers may be open.
 */
import { checkBatch, checkKey, checkKeys, checkRange, readersMax } from './bounds.ts'
import type { Engine, KeyRange, Scan, Values } from './engine.ts'
import { GroupCommit } from './groupCommit.ts'
import { encodeOperations } from './operations.ts'
import { agreeOnSchema, type Schema, type TableIds } from './schema.ts'
import type { Entry, Operation, Range, Reader, Snapshot, Store, WriteOptions } from './store.ts'
import { StoreError } from './storeError.ts'

const firstPageRows = 16
const pageRowsMax = 1024

/** Takes the engine over: it is closed again if the schema does not fit. */
export async function openTabledStore<Table extends string>(
  engine: Engine,
  schema: Schema & { readonly tables: readonly Table[] },
): Promise<Store<Table>> {
  try {
    return new TabledStore<Table>(engine, await agreeOnSchema(engine, schema))
  } catch (error) {
    await engine.close()
    throw error
  }
}

class TabledStore<Table extends string> implements Store<Table> {
  readonly #engine: Engine
  readonly #ids: TableIds
  readonly #commits: GroupCommit
  #readers = 0
  #closing: Promise<void> | undefined

  constructor(engine: Engine, ids: TableIds) {
    this.#engine = engine
    this.#ids = ids
    this.#commits = new GroupCommit((batches, sync) => engine.commit(batches, sync))
  }

  async get(table: Table, key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#checkOpen()
    return getOne(this.#engine, this.#id(table), key)
  }

  async getMany(table: Table, keys: readonly Uint8Array[]): Promise<Values> {
    this.#checkOpen()
    return getMany(this.#engine, this.#id(table), keys)
  }

  async *iterate(table: Table, range: Range = {}): AsyncGenerator<Entry> {
    this.#checkOpen()
    const keyRange = toKeyRange(this.#id(table), range)
    const release = this.#hold()
    try {
      yield* rows(this.#engine.scan(keyRange), range.limit, () => this.#checkOpen())
    } finally {
      release()
    }
  }

  async snapshot(): Promise<Snapshot<Table>> {
    this.#checkOpen()
    const release = this.#hold()
    try {
      const view = await this.#engine.view()
      let open = true
      const check = (): void => {
        this.#checkOpen()
        if (!open) throw new StoreError('closed', 'The snapshot is closed')
      }
      const close = async (): Promise<void> => {
        if (!open) return
        open = false
        release()
        if (this.#closing === undefined) await view.close()
      }
      return { ...readerOf<Table>(view, (table) => this.#id(table), check), close }
    } catch (error) {
      release()
      throw error
    }
  }

  async write(batch: readonly Operation<Table>[], options: WriteOptions): Promise<void> {
    this.#checkOpen()
    checkBatch(batch)
    const bytes = encodeOperations(batch, (table) => this.#id(table))
    if (bytes.byteLength > 0) await this.#commits.write(bytes, options.sync)
  }

  close(): Promise<void> {
    this.#closing ??= this.#commits.drain().then(() => this.#engine.close())
    return this.#closing
  }

  #id(table: Table): number {
    const id = this.#ids.get(table)
    if (id !== undefined) return id
    throw new StoreError(
      'unknownTable',
      `There is no table '${table}', only ${[...this.#ids.keys()].join(', ')}`,
    )
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new StoreError('closed', 'The store is closed')
  }

  #hold(): () => void {
    if (this.#readers >= readersMax) {
      const message = `${readersMax} snapshots and iterations are open: close some, or finish them`
      throw new StoreError('tooManyReaders', message)
    }
    this.#readers += 1
    return () => {
      this.#readers -= 1
    }
  }
}

interface FlatReader {
  getMany(keys: readonly Uint8Array[]): Promise<Values>
  scan(range: KeyRange): Scan
}

function readerOf<Table extends string>(
  flat: FlatReader,
  idOf: (table: Table) => number,
  check: () => void,
): Reader<Table> {
  return {
    async get(table, key) {
      check()
      return getOne(flat, idOf(table), key)
    },
    async getMany(table, keys) {
      check()
      return getMany(flat, idOf(table), keys)
    },
    async *iterate(table, range = {}) {
      check()
      yield* rows(flat.scan(toKeyRange(idOf(table), range)), range.limit, check)
    },
  }
}

async function getOne(flat: FlatReader, id: number, key: Uint8Array): Promise<Uint8Array | undefined> {
  checkKey(key)
  const [value] = await flat.getMany([prefixed(id, key)])
  return value
}

async function getMany(flat: FlatReader, id: number, keys: readonly Uint8Array[]): Promise<Values> {
  checkKeys(keys)
  return keys.length === 0 ? [] : flat.getMany(keys.map((key) => prefixed(id, key)))
}

/** Pages grow, so that a look at a few rows stays cheap and a long read needs few messages. */
async function* rows(scan: Scan, limit = Number.POSITIVE_INFINITY, check: () => void): AsyncGenerator<Entry> {
  try {
    let left = limit
    let pageRows = firstPageRows
    while (left > 0) {
      check()
      const page = await scan.next(Math.min(left, pageRows))
      for (const { key, value } of page.rows) {
        yield { key: key.slice(1), value }
        check()
      }
      if (page.finished) return
      left -= page.rows.length
      pageRows = Math.min(pageRows * 4, pageRowsMax)
    }
  } finally {
    await scan.close()
  }
}

function toKeyRange(id: number, range: Range): KeyRange {
  checkRange(range)
  return {
    gte: prefixed(id, range.gte ?? new Uint8Array(0)),
    lt: range.lt === undefined ? Uint8Array.of(id + 1) : prefixed(id, range.lt),
    reverse: range.reverse ?? false,
  }
}

function prefixed(id: number, key: Uint8Array): Uint8Array {
  const out = new Uint8Array(key.byteLength + 1)
  out[0] = id
  out.set(key, 1)
  return out
}
