/**
 * The one error of this package. `kind` says what happened, for code; the message says it for a person, with the
 * value that was wrong and what to do; `cause` keeps what the engine or the file system said.
 */
export type StoreErrorKind =
  /** The store, snapshot or blob store was closed before the call. */
  | 'closed'
  /** Another process, or another part of this one, has the store open. */
  | 'locked'
  /** What is on disk is not what was written. */
  | 'corrupt'
  /** The store on disk has another schema version, other tables or another engine. */
  | 'schemaMismatch'
  /**
   * The write was refused and the store can still be read. Once there is room the next write makes a try of its own;
   * it may end the snapshots and iterations of before. A refused batch may be there afterwards, whole.
   */
  | 'diskFull'
  /** The RocksDB binding does not load here. */
  | 'unsupportedPlatform'
  /** The database thread ended by itself; nothing more can be read or written through this store. */
  | 'crashed'
  /** Anything else the engine or the file system refused; see `cause`. */
  | 'failed'
  // Refusals of one call; the store goes on.
  | 'unknownTable'
  | 'keyOutOfBounds'
  | 'valueTooLarge'
  | 'batchTooLarge'
  | 'tooManyKeys'
  | 'rangeOutOfBounds'
  | 'tooManyReaders'
  /** More writes are waiting than memory should hold; try again once some have finished. */
  | 'overloaded'
  | 'malformedDigest'
  | 'malformedUploader'
  | 'blobTooLarge'
  | 'blobMissing'
  | 'digestMismatch'
  // Who may write, and what a follower takes.
  /** The store follows another. */
  | 'notPrimary'
  /** The store is no follower's, or has no whole copy. */
  | 'notFollower'
  /** Another store was promoted in this one's place. */
  | 'deposed'
  /** A frame of a primary that was deposed. */
  | 'staleEpoch'
  | 'logGap'
  | 'logRepeated'
  /** A frame was changed on its way, or is of another history. */
  | 'logCorrupt'
  /** The log no longer reaches back so far. */
  | 'logTruncated'
  /** On disk here, and not known to be at a follower. */
  | 'unacknowledged'
  // Refusals of a backup.
  /** Other bytes than a backup, or one of a format that this program does not read. */
  | 'backupForeign'
  | 'backupTruncated'
  | 'backupChanged'
  /** Something is where a store should be made. */
  | 'notEmpty'

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly kind: StoreErrorKind

  constructor(kind: StoreErrorKind, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.kind = kind
  }
}
