/**
 * RocksDB's column families: the first has all tables but those with a column of their own. Their numbers are above
 * all others and rise with the columns, so that ranges over several columns are read one column after the other.
 */
import type { ColumnHandle, ColumnOptions, RocksLevel } from '@nxtedition/rocksdb'
import type { KeyRange } from '../engine.ts'
import { StoreError } from '../storeError.ts'
import { columnNumberFirst, columnsMax } from '../tableIds.ts'

const cacheSize = 8 * 1024 * 1024

/**
 * A quarter of the budget is one write buffer, of which there are up to six. That memory is used under load alone: an
 * idle store has none of it, and the whole orchestrator is to idle below 120 MB. Levels from the second on are
 * compressed in any case; `compression` would only train dictionaries for them, at much CPU.
 */
const defaultColumn: ColumnOptions = {
  compaction: 'level',
  compression: false,
  memtableMemoryBudget: 64 * 1024 * 1024,
  cacheSize,
}

/**
 * RocksDB's own way: two write buffers of 64 MiB, and one light compression on all levels. Whoever writes keys that rise
 * has files that do not overlap, and where every level is compressed alike RocksDB moves them down instead of rewriting
 * them; the binding's `level` compresses the deeper ones otherwise.
 */
const tableColumn: ColumnOptions = { compression: false, cacheSize }

const names = [
  'default',
  ...Array.from({ length: columnsMax }, (_, index) => `table${columnNumberFirst + index}`),
]

export const openOptions = {
  ...defaultColumn,
  createIfMissing: true,
  parallelism: 2,
  walCompression: false,
  // Those that are not there yet are made; a database does not open without one that it has.
  columns: Object.fromEntries(names.map((name, index) => [name, index === 0 ? defaultColumn : tableColumn])),
}

/** What names a column to the binding, for each of them. */
export type Columns = readonly { readonly column: ColumnHandle }[]

export function columnsOf(level: RocksLevel): Columns {
  return names.map((name) => {
    const column = level.columns[name]
    if (column === undefined) throw new Error(`RocksDB opened without its column ${name}`)
    return { column }
  })
}

export function columnOf(key: Uint8Array): number {
  const number = key[0] ?? 0
  if (number < columnNumberFirst) return 0
  const column = number - columnNumberFirst + 1
  if (column <= columnsMax) return column
  throw new StoreError(
    'failed',
    `There is no table number ${number} in this program: a newer one wrote its rows`,
  )
}

/** The parts of a range that lie in one column each, as they are read. At least one. */
export function partsOf({ gte, lt, reverse }: KeyRange): readonly ColumnRange[] {
  const parts: ColumnRange[] = []
  for (let column = 0; column <= columnsMax; column += 1) {
    const from = column === 0 ? gte : later(gte, firstKey(column))
    const to = column === columnsMax ? lt : earlier(lt, firstKey(column + 1))
    if (Buffer.compare(from, to) < 0) parts.push({ column, range: { gte: from, lt: to, reverse } })
  }
  if (parts.length === 0) parts.push({ column: 0, range: { gte, lt, reverse } })
  return reverse ? parts.reverse() : parts
}

export interface ColumnRange {
  readonly column: number
  readonly range: KeyRange
}

function firstKey(column: number): Uint8Array {
  return Uint8Array.of(columnNumberFirst + column - 1)
}

function later(left: Uint8Array, right: Uint8Array): Uint8Array {
  return Buffer.compare(left, right) < 0 ? right : left
}

function earlier(left: Uint8Array, right: Uint8Array): Uint8Array {
  return Buffer.compare(left, right) < 0 ? left : right
}
