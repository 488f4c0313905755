/** A store that does what the real one does until it is told to fail, as a disk does. */
import { type Operation, type Store, StoreError, type StoreErrorKind } from '@shardy/storage'
import type { Table } from '../src/tables.ts'

export interface FailingStore extends Store<Table> {
  /** From now on, writes that touch one of the tables fail. */
  fail(kind: StoreErrorKind, ...tables: readonly Table[]): void
  mend(): void
  /** Called before each write reaches the store. */
  onWrite: (batch: readonly Operation<Table>[]) => Promise<void>
}

export function createFailingStore(store: Store<Table>): FailingStore {
  let broken: { readonly kind: StoreErrorKind; readonly tables: readonly Table[] } | undefined
  const failing: FailingStore = {
    get: (table, key) => store.get(table, key),
    getMany: (table, keys) => store.getMany(table, keys),
    iterate: (table, range) => store.iterate(table, range),
    snapshot: () => store.snapshot(),
    close: () => store.close(),
    onWrite: async () => {},
    async write(batch, options) {
      await failing.onWrite(batch)
      if (broken !== undefined && batch.some(({ table }) => broken?.tables.includes(table))) {
        throw new StoreError(broken.kind, 'the disk is full of holes')
      }
      await store.write(batch, options)
    },
    fail(kind, ...tables) {
      broken = { kind, tables }
    },
    mend() {
      broken = undefined
    },
  }
  return failing
}
