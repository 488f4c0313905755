/** A migration that is killed as its test likes, and goes on from its cursor each time: what it leaves must not depend on that. */
import { type MigrationStore, type Operation, openStore, type Store } from '@shardy/storage'

export type Death = 'before' | 'behind' | 'none'

export interface Survived {
  readonly rows: Map<string, string>
  readonly writes: number
}

/** Killed at the n-th write, before it or behind it, until none is left; gives the rows and how many writes there were. */
export async function runKilled<Table extends string>(
  tables: readonly string[],
  rows: readonly Operation<Table>[],
  deaths: (write: number) => Death,
  migrate: (store: MigrationStore) => Promise<unknown>,
): Promise<Survived> {
  const store: Store<string> = await openStore({ kind: 'memory', tables, schemaVersion: 1 })
  await store.write(rows, { sync: false })
  let cursor: Uint8Array | undefined
  let writes = 0
  for (let life = 0; life < 1_000; life++) {
    const migrating: MigrationStore = {
      get: (table, key) => store.get(table, key),
      getMany: (table, keys) => store.getMany(table, keys),
      iterate: (table, range) => store.iterate(table, range),
      cursor,
      async write(batch, reached) {
        const death = deaths(writes++)
        if (death === 'before') throw new Error('killed')
        await store.write(batch, { sync: true })
        cursor = reached
        if (death === 'behind') throw new Error('killed')
      },
    }
    const isDone = await migrate(migrating).then(
      () => true,
      (error: Error) => error.message !== 'killed' && Promise.reject(error),
    )
    if (isDone) return { rows: await rowsOf(store, tables), writes }
  }
  throw new Error('it never ends')
}

/** By table and key, in hex. */
export async function rowsOf(store: Store<string>, tables: readonly string[]): Promise<Map<string, string>> {
  const rows = new Map<string, string>()
  for (const table of tables) {
    for await (const { key, value } of store.iterate(table))
      rows.set(`${table}/${key.toHex()}`, value.toHex())
  }
  return rows
}
