/** Opens a store by its kind, and refuses a folder in which another kind of store already lives. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from './engine.ts'
import { openMemoryEngine } from './memory.ts'
import type { Migration } from './migration.ts'
import { type LogOptions, takePrimaryPlace } from './replica/loggedEngine.ts'
import { openRocksdbEngine } from './rocksdb/rocksdbEngine.ts'
import { checkSchema } from './schema.ts'
import { openSqliteEngine } from './sqlite.ts'
import type { Store } from './store.ts'
import { StoreError } from './storeError.ts'
import { openTabledStore } from './tabledStore.ts'

export type StoreKind = 'rocksdb' | 'sqlite' | 'memory'

export type StoreOptions<Table extends string = string> = {
  /** The closed list of tables. Later versions may add some; one that the store has must not be missing. */
  readonly tables: readonly Table[]
  /**
   * Tables of many bytes whose keys rise with time: made in a column of their own, RocksDB does not rewrite them with
   * the others'. Two at most; the other kinds of store make nothing of it.
   */
  readonly columns?: readonly Table[] | undefined
  /** Raise it when stored bytes change their meaning: a store of another version is refused. */
  readonly schemaVersion: number
  /** How older stores become of this version, run in order before the store opens. */
  readonly migrations?: readonly Migration[]
  /** Keeps a log of writes for a follower (`log`, `openFollower`). */
  readonly log?: LogOptions | undefined
} & EnginePlace

/** With 'memory' a path is allowed and ignored, so that a setting can switch the kind alone. */
export type EnginePlace =
  | { readonly kind: 'memory'; readonly path?: string }
  | { readonly kind: StoreKind; readonly path: string }

export async function openStore<const Table extends string>(
  options: StoreOptions<Table>,
): Promise<Store<Table>> {
  const schema = { version: options.schemaVersion, tables: options.tables, columns: options.columns }
  checkSchema(schema)
  const engine = await openEngine(options)
  const writing = await takePrimaryPlace(engine, options.log).catch(async (error: unknown) => {
    await engine.close()
    throw error
  })
  return openTabledStore(writing, schema, options.migrations)
}

/** Without tables and schema: the flat key space that is there. */
export async function openEngine(options: EnginePlace): Promise<Engine> {
  if (options.kind === 'memory' || options.path === undefined) return openMemoryEngine()
  refuseOtherKind(options.path, options.kind)
  return options.kind === 'rocksdb' ? openRocksdbEngine(options.path) : openSqliteEngine(options.path)
}

/** Without this, a changed setting would look as if all data were gone. */
function refuseOtherKind(path: string, kind: 'rocksdb' | 'sqlite'): void {
  const [file, other] = kind === 'rocksdb' ? ['rows.sqlite', 'sqlite'] : ['CURRENT', 'rocksdb']
  if (!existsSync(join(path, file))) return
  throw new StoreError(
    'schemaMismatch',
    `${path} holds a ${other} store: open it with kind ${other}, or choose another folder for ${kind}`,
  )
}
