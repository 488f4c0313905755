/**
 * How stored rows become those of the next schema version. A migration writes in batches and saves with each, in
 * the same atomic write, how far it has come; killed at any point, it is called again with what it saved last. The
 * record of how far a store is belongs to `schema.ts`.
 */
import { checkBatch } from './bounds.ts'
import type { EncodedBatch, Engine } from './engine.ts'
import { encodeOperations } from './operations.ts'
import type { Operation, Reader } from './store.ts'
import { StoreError } from './storeError.ts'
import { idOf, type TableIds } from './tableIds.ts'
import { readerOf } from './tableReader.ts'

export interface Migration {
  readonly from: number
  readonly to: number
  /** Tables that end with this migration: emptied when it has returned, and free to be missing from then on. */
  readonly drops?: readonly string[]
  /** Must go on from `store.cursor`; whatever it does besides writing to the store may happen twice. */
  migrate(store: MigrationStore): Promise<void>
}

/** Knows the tables of the store as it is and those of the program that migrates it. */
export interface MigrationStore extends Reader {
  /** What the last batch of an earlier, killed run saved; `undefined` when it begins. */
  readonly cursor: Uint8Array | undefined
  /** The batch and the cursor are on disk together, or neither is. */
  write(batch: readonly Operation[], cursor: Uint8Array): Promise<void>
}

const cursorBytesMax = 4 * 1024

export function checkMigrations(migrations: readonly Migration[], schemaVersion: number): void {
  for (const { from, to } of migrations) {
    const isStep = Number.isSafeInteger(from) && Number.isSafeInteger(to) && 1 <= from && from < to
    if (!isStep || to > schemaVersion) {
      const message = `A migration goes up, to ${schemaVersion} at most; this one from ${from} to ${to}`
      throw new StoreError('schemaMismatch', message)
    }
    if (migrations.filter((other) => other.from === from).length > 1)
      throw new StoreError('schemaMismatch', `There are two migrations from version ${from}`)
  }
}

export function migrationStore(
  engine: Engine,
  ids: TableIds,
  save: (cursor: Uint8Array) => EncodedBatch,
  cursor: Uint8Array | undefined,
): MigrationStore {
  return {
    ...readerOf<string>(
      engine,
      (table) => idOf(ids, table),
      () => {},
    ),
    cursor,
    async write(batch, reached) {
      if (reached.byteLength === 0 || reached.byteLength > cursorBytesMax) {
        const message = `A cursor has 1 to ${cursorBytesMax} bytes, this one ${reached.byteLength}`
        throw new StoreError('keyOutOfBounds', message)
      }
      checkBatch(batch)
      await engine.commit([encodeOperations(batch, (table) => idOf(ids, table)), save(reached)], true)
    },
  }
}
