/**
 * What a place for bytes has to offer: one flat, ordered key space. Tables, bounds, schema and group commit are
 * built once on top of it (`tabledStore.ts`), so an engine stays small and all engines behave alike.
 */
import type { Entry } from './store.ts'

export interface Engine {
  getMany(keys: readonly Uint8Array[]): Promise<Values>
  /** Reads a range as it was at this call. */
  scan(range: KeyRange): Scan
  view(): Promise<View>
  /** Applies encoded batches (`operations.ts`) as one atomic write. Called again only after it has settled. */
  commit(batches: readonly EncodedBatch[], sync: boolean): Promise<void>
  close(): Promise<void>
}

export interface View {
  getMany(keys: readonly Uint8Array[]): Promise<Values>
  scan(range: KeyRange): Scan
  close(): Promise<void>
}

export interface Scan {
  next(rowsMax: number): Promise<Page>
  close(): Promise<void>
}

/** A batch that owns its whole buffer, which may be moved to another thread. */
export type EncodedBatch = Uint8Array<ArrayBuffer>

export type Values = readonly (Uint8Array | undefined)[]

/** `finished` without rows is allowed, and so is a page without rows that is not the last. */
export interface Page {
  readonly rows: readonly Entry[]
  readonly finished: boolean
}

/** Both bounds are always given: a table's prefix has an end. */
export interface KeyRange {
  readonly gte: Uint8Array
  readonly lt: Uint8Array
  readonly reverse: boolean
}
