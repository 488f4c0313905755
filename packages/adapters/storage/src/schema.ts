/**
 * The record a store keeps about itself: which version of the schema wrote it and which table has which number
 * (the first byte of its keys). It lives under table number 0, so it is as durable as the rows it explains.
 */
import type { Engine } from './engine.ts'
import { encodeOperations } from './operations.ts'
import { StoreError } from './storeError.ts'

const recordTable = 0
const recordKey = new TextEncoder().encode('schema')
const storedKey = Uint8Array.of(recordTable, ...recordKey)
const tablesMax = 250

export interface Schema {
  readonly version: number
  readonly tables: readonly string[]
}

/** Table numbers never change once given; a new name gets the next one. */
export type TableIds = ReadonlyMap<string, number>

export function checkSchema(schema: Schema): void {
  const { version, tables } = schema
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new StoreError('schemaMismatch', `A schema version is a whole number from 1, not ${version}`)
  }
  if (tables.length === 0 || tables.length > tablesMax || new Set(tables).size !== tables.length) {
    throw new StoreError('schemaMismatch', `A store has 1 to ${tablesMax} different tables, not [${tables}]`)
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

/** Reads the record, refuses a store that this schema does not fit, and adds tables that are new. */
export async function agreeOnSchema(engine: Engine, schema: Schema): Promise<TableIds> {
  checkSchema(schema)
  const [stored] = await engine.getMany([storedKey])
  const known = stored === undefined ? await emptyStore(engine) : parseRecord(stored)
  if (known.version !== undefined && known.version !== schema.version) {
    throw new StoreError(
      'schemaMismatch',
      `The store has schema version ${known.version}, this program needs ${schema.version}: ` +
        'run the program that wrote it, or start with an empty data folder',
    )
  }
  const dropped = known.tables.filter((table) => !schema.tables.includes(table))
  if (dropped.length > 0) {
    throw new StoreError(
      'schemaMismatch',
      `The store has tables this program does not know: ${dropped.join(', ')}. Another version wrote it: ` +
        'run that one, or start with an empty data folder',
    )
  }
  const tables = [...known.tables, ...schema.tables.filter((table) => !known.tables.includes(table))]
  if (tables.length > known.tables.length) await writeRecord(engine, { version: schema.version, tables })
  return new Map(tables.map((table, index) => [table, index + 1]))
}

interface Known {
  readonly version: number | undefined
  readonly tables: readonly string[]
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
  return { version: undefined, tables: [] }
}

function parseRecord(bytes: Uint8Array): Known {
  try {
    const record: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isSchema(record)) return record
  } catch (cause) {
    throw new StoreError('corrupt', 'The schema record of the store cannot be read', { cause })
  }
  throw new StoreError('corrupt', 'The schema record of the store is not one')
}

function isSchema(record: unknown): record is Schema {
  if (typeof record !== 'object' || record === null) return false
  if (!('version' in record) || typeof record.version !== 'number') return false
  return (
    'tables' in record && Array.isArray(record.tables) && record.tables.every((t) => typeof t === 'string')
  )
}

async function writeRecord(engine: Engine, schema: Schema): Promise<void> {
  const value = new TextEncoder().encode(JSON.stringify(schema))
  const batch = encodeOperations([{ kind: 'put', table: 'schema', key: recordKey, value }], () => recordTable)
  await engine.commit([batch], true)
}
