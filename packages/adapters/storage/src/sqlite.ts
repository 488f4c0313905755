/**
 * The SQLite engine: for development and for platforms without the RocksDB binding. One table of rows in WAL
 * mode; BLOB keys compare byte by byte, and each reader holds its own connection inside a read transaction,
 * which is what SQLite calls a snapshot. Everything runs, and fsyncs, on the calling thread.
 */
import { Database, type SQLiteError, type Statement } from 'bun:sqlite'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine, KeyRange, Page, Scan, Values, View } from './engine.ts'
import { readOperations } from './operations.ts'
import type { Entry } from './store.ts'
import { StoreError } from './storeError.ts'

type Row = { key: Uint8Array; value: Uint8Array }

export function openSqliteEngine(path: string): Engine {
  return named(`open the SQLite store at ${path}`, () => {
    mkdirSync(path, { recursive: true })
    const opened: Database[] = []
    const connect = (file: string): Database => {
      const connection = new Database(file)
      opened.push(connection)
      return connection
    }
    try {
      const lock = connect(join(path, 'lock.sqlite'))
      lock.run('BEGIN EXCLUSIVE')
      const file = join(path, 'rows.sqlite')
      return new SqliteEngine(file, connect(file), lock)
    } catch (error) {
      for (const connection of opened) connection.close(true)
      throw error
    }
  })
}

class SqliteEngine implements Engine {
  readonly #file: string
  /** A second file, held for the life of the store: the store's own lock must leave our readers in. */
  readonly #lock: Database
  readonly #writer: Database
  readonly #put: Statement
  readonly #delete: Statement
  readonly #deleteRange: Statement
  readonly #get: Statement<Row, [Uint8Array]>
  readonly #views = new Set<Database>()
  #synced: boolean | undefined

  constructor(file: string, writer: Database, lock: Database) {
    this.#file = file
    this.#writer = writer
    this.#lock = lock
    this.#writer.run('PRAGMA journal_mode = WAL')
    this.#writer.run(
      'CREATE TABLE IF NOT EXISTS rows (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID',
    )
    this.#put = this.#writer.prepare('INSERT OR REPLACE INTO rows (key, value) VALUES (?, ?)')
    this.#delete = this.#writer.prepare('DELETE FROM rows WHERE key = ?')
    this.#deleteRange = this.#writer.prepare('DELETE FROM rows WHERE key >= ? AND key < ?')
    this.#get = prepareGet(this.#writer)
  }

  async getMany(keys: readonly Uint8Array[]): Promise<Values> {
    return named('read', () => keys.map((key) => this.#get.get(key)?.value))
  }

  scan(range: KeyRange): Scan {
    const connection = this.#openView()
    return new SqliteScan(connection, range, () => this.#closeView(connection))
  }

  async view(): Promise<View> {
    const connection = this.#openView()
    const get = named('read', () => prepareGet(connection))
    return {
      getMany: async (keys) => named('read', () => keys.map((key) => get.get(key)?.value)),
      scan: (range) => new SqliteScan(connection, range, () => {}),
      close: async () => this.#closeView(connection),
    }
  }

  async commit(batches: readonly Uint8Array[], sync: boolean): Promise<void> {
    named('write', () => {
      if (this.#synced !== sync) this.#writer.run(`PRAGMA synchronous = ${sync ? 'FULL' : 'NORMAL'}`)
      this.#synced = sync
      const sink = {
        put: (key: Uint8Array, value: Uint8Array) => void this.#put.run(key, value),
        delete: (key: Uint8Array) => void this.#delete.run(key),
        deleteRange: (gte: Uint8Array, lt: Uint8Array) => void this.#deleteRange.run(gte, lt),
      }
      this.#writer.transaction(() => {
        for (const batch of batches) readOperations(batch, sink)
      })()
    })
  }

  async close(): Promise<void> {
    for (const connection of this.#views) connection.close(true)
    this.#views.clear()
    this.#writer.close(true)
    this.#lock.close(true)
  }

  #openView(): Database {
    return named('open a snapshot', () => {
      const connection = new Database(this.#file, { readonly: true })
      this.#views.add(connection)
      connection.run('BEGIN')
      // A read transaction begins with its first read.
      connection.prepare('SELECT 1 FROM rows LIMIT 1').get()
      return connection
    })
  }

  #closeView(connection: Database): void {
    this.#views.delete(connection)
    connection.close(true)
  }
}

class SqliteScan implements Scan {
  readonly #statement: Statement<Row, [Uint8Array, Uint8Array]>
  readonly #cursor: Iterator<Row>
  readonly #release: () => void

  constructor(connection: Database, range: KeyRange, release: () => void) {
    const order = range.reverse ? 'DESC' : 'ASC'
    this.#statement = named('read', () =>
      connection.prepare<Row, [Uint8Array, Uint8Array]>(
        `SELECT key, value FROM rows WHERE key >= ? AND key < ? ORDER BY key ${order}`,
      ),
    )
    this.#cursor = this.#statement.iterate(range.gte, range.lt)
    this.#release = release
  }

  async next(rowsMax: number): Promise<Page> {
    return named('read', () => {
      const rows: Entry[] = []
      while (rows.length < rowsMax) {
        const row = this.#cursor.next()
        if (row.done === true) return { rows, finished: true }
        rows.push(row.value)
      }
      return { rows, finished: false }
    })
  }

  async close(): Promise<void> {
    this.#statement.finalize()
    this.#release()
  }
}

function prepareGet(connection: Database): Statement<Row, [Uint8Array]> {
  return connection.prepare<Row, [Uint8Array]>('SELECT key, value FROM rows WHERE key = ?')
}

/** Runs a piece of work and says in our words what SQLite, or the file system, said in its own. */
function named<Result>(work: string, run: () => Result): Result {
  try {
    return run()
  } catch (cause) {
    throw toStoreError(work, cause)
  }
}

function toStoreError(work: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause
  const code = (cause as Partial<SQLiteError> | undefined)?.code ?? ''
  const message = `The SQLite store could not ${work}: ${cause instanceof Error ? cause.message : cause}`
  if (code.startsWith('SQLITE_BUSY')) {
    return new StoreError('locked', `${message}. Another process has it open: stop that one first`, { cause })
  }
  if (code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB')) {
    return new StoreError('corrupt', message, { cause })
  }
  if (code.startsWith('SQLITE_FULL') || code === 'ENOSPC') {
    return new StoreError('diskFull', `${message}. Free some space on that disk`, { cause })
  }
  return new StoreError('failed', message, { cause })
}
