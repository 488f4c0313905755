/**
 * Deletes a range of any size in pieces, for retention: each piece is one small batch, and other writes get their
 * turn between them. Not atomic as a whole: after a crash the range is gone up to some key, and calling again goes on.
 */
import type { Range, Store } from './store.ts'
import { StoreError } from './storeError.ts'

export interface ClearRangeOptions {
  /** Default 5,000. */
  readonly rowsAtOnce?: number
}

/** How many rows there were. The last piece is synced, which makes those before it durable too. */
export async function clearRange<Table extends string>(
  store: Store<Table>,
  table: Table,
  { gte, lt }: Pick<Range, 'gte' | 'lt'> = {},
  { rowsAtOnce = 5_000 }: ClearRangeOptions = {},
): Promise<number> {
  if (!(Number.isSafeInteger(rowsAtOnce) && rowsAtOnce >= 1)) {
    throw new StoreError('rangeOutOfBounds', `A piece is a whole number of rows from 1, not ${rowsAtOnce}`)
  }
  let cleared = 0
  let from = gte
  for (;;) {
    let rows = 0
    let next: Uint8Array | undefined
    for await (const { key } of store.iterate(table, { gte: from, lt, limit: rowsAtOnce + 1 })) {
      if (rows === rowsAtOnce) next = key
      else rows += 1
    }
    if (rows > 0) {
      const piece = { kind: 'deleteRange', table, gte: from, lt: next ?? lt } as const
      await store.write([piece], { sync: next === undefined })
    }
    cleared += rows
    if (next === undefined) return cleared
    from = next
  }
}
