/**
 * Builds the store that callers see from an engine's flat key space: a table is the first byte of its keys.
 * Owns the checks before a call, what `closed` means, and how many readers may be open.
 */
import { checkBatch, readersMax } from './bounds.ts'
import type { Engine, Values } from './engine.ts'
import { rememberEngine } from './engineOf.ts'
import { GroupCommit } from './groupCommit.ts'
import type { Migration } from './migration.ts'
import { encodeOperations } from './operations.ts'
import { LoggedEngine } from './replica/loggedEngine.ts'
import { agreeOnSchema, type Schema } from './schema.ts'
import type { Entry, Operation, Range, Snapshot, Store, WriteOptions } from './store.ts'
import { StoreError } from './storeError.ts'
import { idOf, type TableIds } from './tableIds.ts'
import { getMany, getOne, readerOf, rows, toKeyRange } from './tableReader.ts'

/** Takes the engine over: it is closed again if the schema does not fit. */
export async function openTabledStore<Table extends string>(
  engine: Engine,
  schema: Schema & { readonly tables: readonly Table[] },
  migrations: readonly Migration[] = [],
): Promise<Store<Table>> {
  try {
    const store = new TabledStore<Table>(engine, await agreeOnSchema(engine, schema, migrations))
    if (engine instanceof LoggedEngine) await engine.settle()
    rememberEngine(store, engine)
    return store
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
    const { sync } = options
    if (sync === 'acknowledged' && !(this.#engine instanceof LoggedEngine))
      throw new StoreError('unacknowledged', 'The store has no log, so no follower: open it with `log`')
    if (bytes.byteLength > 0) await this.#commits.write(bytes, sync !== false)
    if (sync === 'acknowledged' && this.#engine instanceof LoggedEngine) await this.#engine.acknowledged()
  }

  close(): Promise<void> {
    this.#closing ??= this.#commits.drain().then(() => this.#engine.close())
    return this.#closing
  }

  #id(table: Table): number {
    return idOf(this.#ids, table)
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
