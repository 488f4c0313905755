/** Which table has which number, the first byte of its keys. */
import { StoreError } from './storeError.ts'

/** Table numbers never change once given; a new name gets the next one. */
export type TableIds = ReadonlyMap<string, number>

export function idOf(ids: TableIds, table: string): number {
  const id = ids.get(table)
  if (id !== undefined) return id
  throw new StoreError('unknownTable', `There is no table '${table}', only ${[...ids.keys()].join(', ')}`)
}
