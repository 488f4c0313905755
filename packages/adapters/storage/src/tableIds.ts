/**
 * Which table has which number, the first byte of its keys. Numbers from `columnNumberFirst` on are of tables that are
 * kept apart from all others, so that a key alone says where it lies: an engine needs to know no tables for that.
 */
import { StoreError } from './storeError.ts'

/** Table numbers never change once given; a new name gets the next one. */
export type TableIds = ReadonlyMap<string, number>

/** The highest number of a table among others. */
export const tablesMax = 250
export const columnNumberFirst = tablesMax + 1
/** May rise to 4, when programs before that refuse the stores of those after; never fall. */
export const columnsMax = 2

export function idOf(ids: TableIds, table: string): number {
  const id = ids.get(table)
  if (id !== undefined) return id
  throw new StoreError('unknownTable', `There is no table '${table}', only ${[...ids.keys()].join(', ')}`)
}
