/**
 * The part of the RocksDB binding that we use; it ships without types. The underscored calls are the binding's
 * synchronous ones: on the database thread they save a trip through the thread pool. The version is pinned.
 */
declare module '@nxtedition/rocksdb' {
  export interface OpenOptions {
    readonly createIfMissing: boolean
    readonly compaction: 'level' | 'universal'
    readonly memtableMemoryBudget: number
    readonly cacheSize: number
    readonly parallelism: number
    readonly walCompression: boolean
  }

  export interface IteratorOptions {
    readonly keyEncoding: 'buffer'
    readonly valueEncoding: 'buffer'
    readonly highWaterMarkBytes: number
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
    _put(key: Uint8Array, value: Uint8Array): void
    _del(key: Uint8Array): void
    write(options: { readonly sync: boolean }): Promise<void>
  }

  export class RocksLevel {
    constructor(path: string, options: { readonly keyEncoding: 'buffer'; readonly valueEncoding: 'buffer' })
    open(options: OpenOptions): Promise<void>
    close(): Promise<void>
    batch(): RocksBatch
    iterator(options: IteratorOptions): RocksIterator
    _getManySync(
      keys: readonly Uint8Array[],
      options: { readonly keyEncoding: 'buffer'; readonly valueEncoding: 'buffer' },
    ): (Uint8Array | undefined)[]
  }
}
