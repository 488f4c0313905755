/**
 * Which blobs are kept, for whom, and how long: records and references in the store, bytes in the blob store. The
 * bytes are on disk before a record names them and stay until after it is gone, so a crash leaves at worst bytes that
 * nobody knows, which the first collection removes. A blob without references goes once it is older than the grace time.
 */
import type { Digest, RequesterId, TimeMs } from '@shardy/protocol'
import { type BlobStore, prefixRange, type Store } from '@shardy/storage'
import type { Clock } from '../clock.ts'
import { type BlobRecord, blobRecord, idKey, type Table } from '../tables.ts'
import { decodeRecord } from '../tasks/archive.ts'
import { createTurns } from '../turns.ts'
import { createQuota } from './quota.ts'

export interface BlobPolicy {
  /** What one requester's blobs may add up to; outputs of its tasks count, but never fail a task. */
  readonly quotaBytes: number
  /** Time for an uploaded blob to be referred to by a task. */
  readonly graceMs: number
  /** Abandoned uploads are removed after this. */
  readonly partialMs: number
}

export const defaultBlobPolicy: BlobPolicy = {
  quotaBytes: 4 * 1024 ** 3,
  graceMs: 600_000,
  partialMs: 86_400_000,
}

export interface BlobKeeper {
  length(digest: Digest): Promise<number | undefined>
  /** Whether `owner` may keep that many more bytes. */
  fits(owner: RequesterId, bytes: number): boolean
  /** Sets aside what an upload brings, until it is recorded or released; false when it does not fit. */
  reserve(digest: Digest, bytes: number, owner: RequesterId): boolean
  release(digest: Digest, owner: RequesterId): void
  /** Keeps bytes that are in memory. */
  keep(digest: Digest, bytes: Uint8Array, owner: RequesterId): Promise<void>
  /** Records a blob whose bytes the blob store has just finished, and with it `owner`'s upload. Called while it is pinned. */
  record(digest: Digest, length: number, owner: RequesterId): Promise<void>
  bytes(digest: Digest): Promise<Uint8Array>
  /** Keeps a blob from being collected while `act` runs; one that is just being collected is gone before it does. */
  pinned<T>(digest: Digest, act: () => Promise<T>): Promise<T>
  /** Called with a blob whose bytes are on disk, before anything in the store can name it. The returned function ends it. */
  onKept(listener: (digest: Digest) => void): () => void
  all(): AsyncIterable<Digest>
  /** Nothing is removed until the returned function is called. */
  hold(): () => void
  /** Removes what nothing refers to; `inUse` are digests that open work still needs. Returns how many went. */
  collect(inUse: ReadonlySet<Digest>): Promise<number>
}

const nothing = (): void => {}

/** One collection looks at so many records and goes on where it stopped the next time. */
const scannedPerPassMax = 20_000
/** Read at a time, so that no snapshot is held for long; so many are also looked at side by side. */
const scannedAtOnce = 50

export async function openBlobKeeper(
  store: Store<Table>,
  blobs: BlobStore,
  clock: Clock,
  policy: BlobPolicy,
): Promise<BlobKeeper> {
  const quota = createQuota(policy.quotaBytes)
  const pins = new Map<Digest, number>()
  const listeners = new Set<(digest: Digest) => void>()
  let holds = 0
  /** A record changes, and a blob is dropped, in turn. */
  const turns = createTurns<Digest>()
  let nextScanned: Uint8Array | undefined
  let mayHaveStrays = true
  for await (const { value } of store.iterate('blobs')) {
    const { ownerId, length } = decodeRecord(blobRecord, value)
    quota.add(ownerId, length)
  }
  for await (const { digest, uploader, sizeBytes, writtenAtMs } of blobs.unfinished()) {
    quota.found(digest, sizeBytes, uploader, writtenAtMs)
  }

  async function read(digest: Digest): Promise<BlobRecord | undefined> {
    const value = await store.get('blobs', idKey(digest))
    return value && decodeRecord(blobRecord, value)
  }

  /** `ended` is called at the moment from which the blob is charged. */
  function record(
    digest: Digest,
    length: number,
    ownerId: RequesterId,
    ended: () => void = nothing,
  ): Promise<void> {
    return turns.take(digest, async () => {
      const before = await read(digest)
      // Whoever brought it first is charged for it; bringing it again starts its grace time anew.
      const kept = { digest, length, ownerId: before?.ownerId ?? ownerId, createdAtMs: clock.nowMs() }
      const value = blobRecord.encode(kept)
      for (const listener of listeners) listener(digest)
      await store.write([{ kind: 'put', table: 'blobs', key: idKey(digest), value }], { sync: true })
      ended()
      if (before === undefined) quota.add(ownerId, length)
    })
  }

  async function isReferred(digest: Digest): Promise<boolean> {
    const range = { ...prefixRange(idKey(digest)), limit: 1 }
    for await (const _ of store.iterate('references', range)) return true
    return false
  }

  async function pinned<T>(digest: Digest, act: () => Promise<T>): Promise<T> {
    pins.set(digest, (pins.get(digest) ?? 0) + 1)
    try {
      await turns.ended(digest)
      return await act()
    } finally {
      const left = (pins.get(digest) ?? 1) - 1
      if (left === 0) pins.delete(digest)
      else pins.set(digest, left)
    }
  }

  /** Everything is looked at again within the turn: whoever pins the blob from here on waits for its end. */
  function dropUnneeded(digest: Digest, inUse: ReadonlySet<Digest>): Promise<boolean> {
    return turns.take(digest, async () => {
      if (holds > 0 || pins.has(digest) || inUse.has(digest)) return false
      const blob = await read(digest)
      if (blob !== undefined) {
        if (blob.createdAtMs > clock.nowMs() - policy.graceMs || (await isReferred(digest))) return false
        await store.write([{ kind: 'delete', table: 'blobs', key: idKey(digest) }], { sync: true })
        quota.add(blob.ownerId, -blob.length)
      }
      return blobs.delete(digest)
    })
  }

  async function dropAll(digests: readonly Digest[], inUse: ReadonlySet<Digest>): Promise<number> {
    const dropped = await Promise.all(digests.map((digest) => dropUnneeded(digest, inUse)))
    return dropped.filter(Boolean).length
  }

  /** Blobs that are old enough to go, among the next records; undefined behind the last one. */
  async function scan(): Promise<readonly Digest[] | undefined> {
    const range = { ...(nextScanned && { gte: nextScanned }), limit: scannedAtOnce }
    const oldest = clock.nowMs() - policy.graceMs
    const found: Digest[] = []
    let last: Digest | undefined
    for await (const { value } of store.iterate('blobs', range)) {
      const { digest, createdAtMs } = decodeRecord(blobRecord, value)
      if (createdAtMs <= oldest) found.push(digest)
      last = digest
    }
    nextScanned = last && prefixRange(idKey(last)).lt
    return last && found
  }

  /** Bytes without a record: what a crash between the two left behind. */
  async function dropStrays(inUse: ReadonlySet<Digest>): Promise<number> {
    let dropped = 0
    for await (const { digest } of blobs.list()) {
      if ((await read(digest)) === undefined) dropped += await dropAll([digest], inUse)
    }
    return dropped
  }

  return {
    length: async (digest) => (await read(digest))?.length,
    fits: quota.fits,
    reserve: (digest, bytes, owner) => quota.reserve(digest, bytes, owner, clock.nowMs()),
    release: quota.release,
    keep: (digest, bytes, owner) =>
      pinned(digest, async () => {
        await blobs.put(digest, bytes)
        await record(digest, bytes.length, owner)
      }),
    record: (digest, length, owner) => record(digest, length, owner, () => quota.release(digest, owner)),
    bytes: (digest) => blobs.readAll(digest),
    pinned,
    onKept(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async *all() {
      for await (const { digest } of blobs.list()) yield digest
    },
    hold() {
      holds++
      let isHeld = true
      return () => {
        if (isHeld) holds--
        isHeld = false
      }
    },
    async collect(inUse) {
      if (holds > 0) return 0
      let dropped = mayHaveStrays ? await dropStrays(inUse) : 0
      mayHaveStrays = false
      for (let scanned = 0; scanned < scannedPerPassMax; scanned += scannedAtOnce) {
        const found = await scan()
        if (found === undefined) break
        dropped += await dropAll(found, inUse)
        if (nextScanned === undefined) break
      }
      const before = (clock.nowMs() - policy.partialMs) as TimeMs
      await blobs.sweep(before)
      quota.releaseOlder(before)
      return dropped
    },
  }
}
