/**
 * The ordered key-value store that every server-side part keeps its state in: named tables, byte keys in
 * lexicographic order, atomic batches across tables, ranges and snapshots. Implementations differ in where
 * the bytes live (RocksDB, SQLite, memory) and in nothing else: `conformance.ts` holds them to it.
 */
export interface Store<Table extends string = string> extends Reader<Table> {
  /** A consistent view of all tables that later writes do not change. Close it: it pins old data. */
  snapshot(): Promise<Snapshot<Table>>
  /**
   * Applies the whole batch or nothing of it, in order, so the last operation on a key wins. With `sync` it is
   * on disk before the promise resolves; without, it survives the end of this process but not a power cut.
   */
  write(batch: readonly Operation<Table>[], options: WriteOptions): Promise<void>
  /** Finishes the writes already accepted, then releases everything. A second call changes nothing. */
  close(): Promise<void>
}

export interface Snapshot<Table extends string = string> extends Reader<Table> {
  close(): Promise<void>
}

export interface Reader<Table extends string = string> {
  get(table: Table, key: Uint8Array): Promise<Uint8Array | undefined>
  /** The values in the order of the keys; `undefined` where there is none. */
  getMany(table: Table, keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>
  /**
   * The rows of a range, in key order. On a store the view is taken when iteration begins and released when it
   * ends or is left early; an iteration that is abandoned without either stays open until the store closes.
   */
  iterate(table: Table, range?: Range): AsyncIterable<Entry>
}

export type Operation<Table extends string = string> =
  | Put<Table>
  | { readonly kind: 'delete'; readonly table: Table; readonly key: Uint8Array }
  | DeleteRange<Table>

export interface Put<Table extends string = string> {
  readonly kind: 'put'
  readonly table: Table
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/**
 * Deletes every row of `[gte, lt)` that is there when the batch is applied, those of the same batch before it
 * included. The rows go one by one: for very many, `clearRange` keeps each batch small.
 */
export interface DeleteRange<Table extends string = string> {
  readonly kind: 'deleteRange'
  readonly table: Table
  readonly gte?: Uint8Array | undefined
  readonly lt?: Uint8Array | undefined
}

export interface WriteOptions {
  /** `acknowledged`: on disk here, and at a follower too (`log`). It is refused when none says so in time. */
  readonly sync: boolean | 'acknowledged'
}

/** `gte` is included, `lt` is not; `reverse` starts from the end; `limit` counts rows. */
export interface Range {
  readonly gte?: Uint8Array | undefined
  readonly lt?: Uint8Array | undefined
  readonly reverse?: boolean | undefined
  readonly limit?: number | undefined
}

export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}
