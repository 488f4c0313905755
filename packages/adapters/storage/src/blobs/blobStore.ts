/**
 * Content-addressed bytes: a blob's name is its SHA-256, so what is stored under a digest is that or nothing.
 * Owns finished blobs and unfinished uploads, of which each uploader has its own: nobody else can go on with one, disturb it
 * or learn how far it is. Who may store how much, and which blobs are still referred to, is
 * the caller's to know.
 */
import type { Digest, RequesterId, TimeMs } from '@shardy/protocol'

export interface BlobStore {
  /**
   * Begins an upload, or goes on with the one that a broken connection or a restart left behind. One writer at a time for
   * each uploader: until that upload is finished, suspended or dropped, its next `begin` is told that it is busy. Without an
   * uploader it is the program's own.
   */
  begin(digest: Digest, uploader?: RequesterId): Promise<BeginUpload>
  /** How many bytes of that uploader's unfinished upload are here; 0 when there is none. */
  received(digest: Digest, uploader?: RequesterId): Promise<number>
  /** Every uploader's unfinished uploads, in no order. */
  unfinished(): AsyncIterable<UnfinishedUpload>

  /** Stores bytes that are already in memory. Throws `digestMismatch` when they are not what the digest names. */
  put(digest: Digest, bytes: Uint8Array, options?: PutOptions): Promise<void>
  putUnknown(bytes: Uint8Array, options?: PutOptions): Promise<Digest>

  has(digest: Digest): Promise<boolean>
  /** The length of a finished blob. */
  size(digest: Digest): Promise<number | undefined>
  /** Streams `[start, end)`; a deletion meanwhile does not disturb a read that has begun. */
  read(digest: Digest, range?: ByteRange): Promise<BlobRead>
  /** The whole blob in memory; throws when it is missing. For blobs that the caller knows to be small. */
  readAll(digest: Digest): Promise<Uint8Array>

  /** Whether there was one. */
  delete(digest: Digest): Promise<boolean>
  list(): AsyncIterable<StoredBlob>
  /** Removes unfinished uploads that nobody is writing and that were last written before `beforeMs`. */
  sweep(beforeMs: TimeMs): Promise<Swept>
  /** Suspends what is being uploaded, then refuses every call. */
  close(): Promise<void>
}

export type BeginUpload =
  | { readonly kind: 'upload'; readonly upload: Upload }
  | { readonly kind: 'busy' }
  | { readonly kind: 'stored'; readonly sizeBytes: number }

export interface Upload {
  readonly digest: Digest
  /** Where the next chunk belongs. */
  receivedBytes(): number
  append(offset: number, chunk: Uint8Array): Promise<AppendChunk>
  /** Hashes all that was received. A wrong digest drops it: an upload that cannot become right is of no use. */
  finish(): Promise<FinishUpload>
  /** Lets go of the upload and keeps the bytes, for a later `begin`. */
  suspend(): Promise<void>
  /** Lets go of the upload and removes the bytes. */
  drop(): Promise<void>
}

export type AppendChunk =
  | { readonly kind: 'appended'; readonly receivedBytes: number }
  | { readonly kind: 'offsetMismatch'; readonly receivedBytes: number }
  | { readonly kind: 'tooLarge'; readonly blobBytesMax: number }
  /** An earlier append of this upload is still being written. */
  | { readonly kind: 'busy' }

export type FinishUpload =
  | { readonly kind: 'stored'; readonly sizeBytes: number }
  | { readonly kind: 'digestMismatch'; readonly actual: Digest }
  /** An append of this upload is still being written. */
  | { readonly kind: 'busy' }

export interface PutOptions {
  /** Default true. Without it the blob survives the end of this process but not a power cut. */
  readonly sync?: boolean
}

export interface ByteRange {
  readonly start?: number | undefined
  readonly end?: number | undefined
}

export type BlobRead =
  | {
      readonly kind: 'blob'
      readonly sizeBytes: number
      readonly start: number
      readonly end: number
      readonly stream: ReadableStream<Uint8Array>
    }
  | { readonly kind: 'missing' }
  | { readonly kind: 'rangeOutOfBounds'; readonly sizeBytes: number }

export interface StoredBlob {
  readonly digest: Digest
  readonly sizeBytes: number
}

export interface UnfinishedUpload {
  readonly digest: Digest
  readonly uploader: RequesterId
  readonly sizeBytes: number
  readonly writtenAtMs: TimeMs
}

export interface Swept {
  readonly uploads: number
  readonly bytes: number
}
