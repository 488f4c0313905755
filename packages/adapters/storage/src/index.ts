export { backupToFile } from './backup/backupFile.ts'
export type { BackupHeader } from './backup/backupRecords.ts'
export { type BackupOptions, type BackupSink, type BackupSummary, backupStore } from './backup/backupStore.ts'
export { verifyBackup } from './backup/readBackup.ts'
export { type RestoreOptions, restoreStore } from './backup/restoreStore.ts'
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
export { type EnginePlace, openStore, type StoreKind, type StoreOptions } from './openStore.ts'
export { prefixRange } from './prefix.ts'
export { type Follower, openFollower, type PromoteOptions } from './replica/follower.ts'
export { acknowledge, fence, log, logPosition, type ReadLogOptions } from './replica/log.ts'
export type { LogOptions } from './replica/loggedEngine.ts'
export type { Position } from './replica/position.ts'
export { freeBytes } from './space/freeBytes.ts'
export { openSpaceGuard, type SpaceGuard, type SpaceGuardOptions } from './space/spaceGuard.ts'
export type { SpaceLimits, SpaceState } from './space/spaceState.ts'
export * from './store.ts'
export { StoreError, type StoreErrorKind } from './storeError.ts'
