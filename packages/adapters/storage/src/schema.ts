/**
 * The record a store keeps about itself: which version of the schema wrote it and which table has which number
 * (the first byte of its keys). It lives under table number 0, so it is as durable as the rows it explains.
 */
import type { EncodedBatch, Engine } from './engine.ts'
import { checkMigrations, type Migration, migrationStore } from './migration.ts'
import { encodeOperations } from './operations.ts'
import { StoreError } from './storeError.ts'
import { columnNumberFirst, columnsMax, idOf, type TableIds, tablesMax } from './tableIds.ts'

const recordTable = 0
const recordKey = new TextEncoder().encode('schema')
export const schemaKey = Uint8Array.of(recordTable, ...recordKey)
/** Stands for a table that a migration dropped: its number is never given again. */
const noTable = ''

export interface Schema {
  readonly version: number
  readonly tables: readonly string[]
  /** Those of them that get a column of their own when they are made. A table that the store has stays where it is. */
  readonly columns?: readonly string[] | undefined
}

export function checkSchema(schema: Schema): void {
  const { version, tables, columns = [] } = schema
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new StoreError('schemaMismatch', `A schema version is a whole number from 1, not ${version}`)
  }
  if (tables.length === 0 || tables.length > tablesMax || new Set(tables).size !== tables.length) {
    throw new StoreError('schemaMismatch', `A store has 1 to ${tablesMax} different tables, not [${tables}]`)
  }
  if (columns.length > columnsMax || !columns.every((table) => tables.includes(table))) {
    const message = `Up to ${columnsMax} of the tables may have columns of their own, not [${columns}]`
    throw new StoreError('schemaMismatch', message)
  }
  for (const table of tables) {
    if (!/^[a-z][A-Za-z0-9]{0,62}$/.test(table)) {
      throw new StoreError(
        'schemaMismatch',
        `'${table}' is no table name: use lower camel case, at most 63 letters`,
      )
    }
  }
}

/** Reads the record, refuses a store that this schema does not fit, migrates it, and adds tables that are new. */
export async function agreeOnSchema(
  engine: Engine,
  schema: Schema,
  migrations: readonly Migration[] = [],
): Promise<TableIds> {
  checkSchema(schema)
  checkMigrations(migrations, schema.version)
  const [stored] = await engine.getMany([schemaKey])
  const known = stored === undefined ? await emptyStore(engine) : parseRecord(stored)
  const path = migrationPath(known, schema.version, migrations)
  const dropped = new Set(path.flatMap(({ drops }) => drops ?? []))
  const names = namesOf(known)
  const unknown = names.filter((table) => !schema.tables.includes(table) && !dropped.has(table))
  if (unknown.length > 0) {
    throw new StoreError(
      'schemaMismatch',
      `The store has tables this program does not know: ${unknown.join(', ')}. Another version wrote it: ` +
        'run that one, or start with an empty data folder',
    )
  }
  const wanted = new Set([...schema.tables, ...dropped])
  const fresh = [...wanted].filter((table) => !names.includes(table))
  const apart = new Set(schema.columns)
  const numbered = {
    tables: [...known.tables, ...fresh.filter((table) => !apart.has(table))],
    columns: [...known.columns, ...fresh.filter((table) => apart.has(table))],
  }
  refuseTooMany(numbered)
  if (path.length > 0) return migrate(engine, numbered, known, path)
  if (fresh.length > 0) await writeRecord(engine, { version: schema.version, ...numbered })
  return idsOf(numbered)
}

function refuseTooMany({ tables, columns }: Numbered): void {
  for (const [what, count, most] of [
    ['tables', tables.length, tablesMax],
    ['tables in columns of their own', columns.length, columnsMax],
  ] as const) {
    if (count <= most) continue
    throw new StoreError('schemaMismatch', `A store numbers at most ${most} ${what}, these are ${count}`)
  }
}

function migrationPath(known: Known, target: number, migrations: readonly Migration[]): Migration[] {
  const path: Migration[] = []
  // While a migration runs, the record has its target already, so that a program without it refuses the store.
  let version = known.migrating?.from ?? known.version ?? target
  if (version > target || (known.version ?? 0) > target) {
    throw new StoreError(
      'schemaMismatch',
      `The store has schema version ${known.version}, this program needs ${target}: a newer program wrote it, ` +
        'run that one, or restore a backup',
    )
  }
  while (version < target) {
    const next = migrations.find(({ from }) => from === version)
    if (next === undefined) {
      throw new StoreError(
        'schemaMismatch',
        `The store has schema version ${known.version}, this program needs ${target}: ` +
          `there is no migration from ${version}. Run the program that wrote it, or start with an empty data folder`,
      )
    }
    path.push(next)
    version = next.to
  }
  const [first] = path
  if (known.migrating !== undefined && first?.to !== known.version) {
    throw new StoreError(
      'schemaMismatch',
      `The store is between schema versions ${known.migrating.from} and ${known.version}: ` +
        `run the program that began this; this one goes from ${known.migrating.from} to ${first?.to ?? target}`,
    )
  }
  return path
}

async function migrate(
  engine: Engine,
  all: Numbered,
  known: Known,
  path: readonly Migration[],
): Promise<TableIds> {
  let numbered = all
  for (const migration of path) {
    const { from, to, drops = [] } = migration
    const ids = idsOf(numbered)
    const resumed = known.migrating?.from === from ? known.migrating : undefined
    const begun = { version: to, ...numbered, migrating: { from, cursor: resumed?.cursor ?? '' } }
    await writeRecord(engine, begun)
    const save = (cursor: Uint8Array): EncodedBatch =>
      encodeRecord({ ...begun, migrating: { from, cursor: Buffer.from(cursor).toString('hex') } })
    const cursor = begun.migrating.cursor === '' ? undefined : fromHex(begun.migrating.cursor)
    await migration.migrate(migrationStore(engine, ids, save, cursor))
    const deletions = drops.map((table) => ({ kind: 'deleteRange', table }) as const)
    const keep = (table: string): string => (drops.includes(table) ? noTable : table)
    numbered = { tables: numbered.tables.map(keep), columns: numbered.columns.map(keep) }
    const emptied = encodeOperations(deletions, (table) => idOf(ids, table))
    await engine.commit([emptied, encodeRecord({ version: to, ...numbered })], true)
  }
  return idsOf(numbered)
}

function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

/** Table names in the order of their numbers. */
interface Numbered {
  readonly tables: readonly string[]
  readonly columns: readonly string[]
}

function idsOf({ tables, columns }: Numbered): TableIds {
  const from = (first: number, names: readonly string[]) =>
    names.map((table, index) => [table, first + index] as const)
  const all = [...from(1, tables), ...from(columnNumberFirst, columns)]
  return new Map(all.filter(([table]) => table !== noTable))
}

function namesOf({ tables, columns }: Numbered): readonly string[] {
  return [...tables, ...columns].filter((table) => table !== noTable)
}

/** What the record says; `undefined` in an empty store. */
export async function readSchema(
  reader: Pick<Engine, 'getMany'>,
): Promise<Pick<Schema, 'version' | 'tables'> | undefined> {
  const [stored] = await reader.getMany([schemaKey])
  if (stored === undefined) return undefined
  const { version, tables, columns } = parseRecord(stored)
  return version === undefined ? undefined : { version, tables: [...tables, ...columns] }
}

interface Known extends Numbered {
  readonly version: number | undefined
  readonly migrating?: Migrating
}

interface Migrating {
  readonly from: number
  /** Hexadecimal; empty when nothing was saved yet. */
  readonly cursor: string
}

/** A store dies between its creation and its record only while it is empty; rows without a record are damage. */
async function emptyStore(engine: Engine): Promise<Known> {
  const scan = engine.scan({ gte: Uint8Array.of(0), lt: Uint8Array.of(0xff), reverse: false })
  try {
    const { rows } = await scan.next(1)
    if (rows.length > 0) throw new StoreError('corrupt', 'The store has rows but no schema record')
  } finally {
    await scan.close()
  }
  return { version: undefined, tables: [], columns: [] }
}

function parseRecord(bytes: Uint8Array): Known {
  try {
    const record: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isSchema(record)) return { ...record, columns: record.columns ?? [] }
  } catch (cause) {
    throw new StoreError('corrupt', 'The schema record of the store cannot be read', { cause })
  }
  throw new StoreError('corrupt', 'The schema record of the store is not one')
}

/** As it is stored: one without columns says nothing of them, as before there were any. */
interface StoredRecord extends Schema {
  readonly migrating?: Migrating
}

function isSchema(record: unknown): record is StoredRecord {
  if (typeof record !== 'object' || record === null) return false
  if (!('version' in record) || typeof record.version !== 'number') return false
  if (!('tables' in record) || !isNames(record.tables)) return false
  if ('columns' in record && !isNames(record.columns)) return false
  return !('migrating' in record) || isMigrating(record.migrating)
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((table) => typeof table === 'string')
}

function isMigrating(value: unknown): value is Migrating {
  if (typeof value !== 'object' || value === null || !('from' in value) || !('cursor' in value)) return false
  return (
    typeof value.from === 'number' &&
    typeof value.cursor === 'string' &&
    /^([0-9a-f]{2})*$/.test(value.cursor)
  )
}

function encodeRecord({ version, tables, columns = [], migrating }: StoredRecord): EncodedBatch {
  const record = { version, tables, ...(columns.length > 0 && { columns }), ...(migrating && { migrating }) }
  const value = new TextEncoder().encode(JSON.stringify(record))
  return encodeOperations([{ kind: 'put', table: 'schema', key: recordKey, value }], () => recordTable)
}

async function writeRecord(engine: Engine, record: StoredRecord): Promise<void> {
  await engine.commit([encodeRecord(record)], true)
}
