/**
 * The part of the RocksDB binding that we use; it ships without types. The underscored calls are the binding's
 * synchronous ones: on the database thread they save a trip through the thread pool. The version is pinned.
 */
declare module '@nxtedition/rocksdb' {
  export interface ColumnOptions {
    readonly compaction?: 'level' | 'universal'
    readonly compression?: boolean
    readonly memtableMemoryBudget?: number
    readonly cacheSize: number
  }

  export interface OpenOptions extends ColumnOptions {
    readonly createIfMissing: boolean
    readonly parallelism: number
    readonly walCompression: boolean
    readonly columns?: Readonly<Record<string, ColumnOptions>>
  }

  /** Of one opening; it is never looked into. */
  export type ColumnHandle = object
  export interface InColumn {
    readonly column: ColumnHandle
  }

  export interface IteratorOptions {
    readonly keyEncoding: 'buffer'
    readonly valueEncoding: 'buffer'
    readonly highWaterMarkBytes: number
    readonly column?: ColumnHandle
    readonly reverse?: boolean
    /** False: every second of the rows is `undefined`. */
    readonly values?: boolean
    readonly gte?: Uint8Array
    readonly lt?: Uint8Array
  }

  export interface RocksIterator {
    _seekSync(target: Uint8Array): void
    /** Keys and values in turn. */
    _nextvSync(rowsMax: number): { readonly rows: readonly Uint8Array[]; readonly finished: boolean }
    _closeSync(): void
    close(): Promise<void>
  }

  export interface RocksBatch {
    _put(key: Uint8Array, value: Uint8Array, where?: InColumn): void
    _del(key: Uint8Array, where?: InColumn): void
    write(options: { readonly sync: boolean }): Promise<void>
  }

  export class RocksLevel {
    constructor(path: string, options: { readonly keyEncoding: 'buffer'; readonly valueEncoding: 'buffer' })
    readonly columns: Readonly<Record<string, ColumnHandle>>
    open(options: OpenOptions): Promise<void>
    close(): Promise<void>
    batch(): RocksBatch
    iterator(options: IteratorOptions): RocksIterator
    _getManySync(
      keys: readonly Uint8Array[],
      options: Partial<InColumn> & { readonly keyEncoding: 'buffer'; readonly valueEncoding: 'buffer' },
    ): (Uint8Array | undefined)[]
  }
}
