export * from './blobs/blobStore.ts'
export { type BlobStoreOptions, openBlobStore } from './blobs/openBlobStore.ts'
export {
  batchBytesMax,
  batchOperationsMax,
  batchRangesMax,
  getManyKeysMax,
  keyBytesMax,
  readersMax,
  valueBytesMax,
  waitingBytesMax,
} from './bounds.ts'
export { type ClearRangeOptions, clearRange } from './clearRange.ts'
export type { Migration, MigrationStore } from './migration.ts'
export { openStore, type StoreKind, type StoreOptions } from './openStore.ts'
export { prefixRange } from './prefix.ts'
export { freeBytes } from './space/freeBytes.ts'
export { openSpaceGuard, type SpaceGuard, type SpaceGuardOptions } from './space/spaceGuard.ts'
export type { SpaceLimits, SpaceState } from './space/spaceState.ts'
export * from './store.ts'
export { StoreError, type StoreErrorKind } from './storeError.ts'
