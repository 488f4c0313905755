/**
 * Which blobs are kept, for whom, and how long: records and references in the store, bytes in the blob store. The
 * bytes are on disk before a record names them and stay until after it is gone, so a crash leaves at worst bytes that
 * nobody knows, which `sweep` removes. A blob without references is collected once it is older than the grace time.
 */
import type { Digest, RequesterId, TimeMs } from '@shardy/protocol'
import { type BlobStore, prefixRange, type Store } from '@shardy/storage'
import type { Clock } from '../clock.ts'
import { type BlobRecord, blobRecord, idKey, type Table } from '../tables.ts'
import { decodeRecord } from '../tasks/archive.ts'

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
  usedBytes(owner: RequesterId): number
  /** Whether `owner` may keep that many more bytes. */
  fits(owner: RequesterId, bytes: number): boolean
  /** Keeps bytes that are in memory. */
  keep(digest: Digest, bytes: Uint8Array, owner: RequesterId): Promise<void>
  /** Records a blob whose bytes the blob store has just finished. */
  record(digest: Digest, length: number, owner: RequesterId): Promise<void>
  bytes(digest: Digest): Promise<Uint8Array>
  /** Keeps a blob from being collected while `act` runs. */
  pinned<T>(digest: Digest, act: () => Promise<T>): Promise<T>
  /** Removes what nothing refers to; `inUse` are digests that open work still needs. Returns how many went. */
  collect(inUse: ReadonlySet<Digest>): Promise<number>
}

/** Collection looks at this many records at a time, so that it never holds a snapshot for long. */
const scannedPerPassMax = 1_000

export async function openBlobKeeper(
  store: Store<Table>,
  blobs: BlobStore,
  clock: Clock,
  policy: BlobPolicy,
): Promise<BlobKeeper> {
  const used = new Map<RequesterId, number>()
  const pins = new Map<Digest, number>()
  let nextScanned: Uint8Array | undefined
  for await (const { value } of store.iterate('blobs')) {
    const { ownerId, length } = decodeRecord(blobRecord, value)
    used.set(ownerId, (used.get(ownerId) ?? 0) + length)
  }

  async function read(digest: Digest): Promise<BlobRecord | undefined> {
    const value = await store.get('blobs', idKey(digest))
    return value && decodeRecord(blobRecord, value)
  }

  async function record(digest: Digest, length: number, ownerId: RequesterId): Promise<void> {
    const before = await read(digest)
    // Whoever brought it first is charged for it; bringing it again starts its grace time anew.
    const kept = { digest, length, ownerId: before?.ownerId ?? ownerId, createdAtMs: clock.nowMs() }
    const value = blobRecord.encode(kept)
    await store.write([{ kind: 'put', table: 'blobs', key: idKey(digest), value }], { sync: true })
    if (before === undefined) used.set(ownerId, (used.get(ownerId) ?? 0) + length)
  }

  async function isReferred(digest: Digest): Promise<boolean> {
    const prefix = idKey(digest)
    const range = { ...prefixRange(prefix), limit: 1 }
    for await (const _ of store.iterate('references', range)) return true
    return false
  }

  async function pinned<T>(digest: Digest, act: () => Promise<T>): Promise<T> {
    pins.set(digest, (pins.get(digest) ?? 0) + 1)
    try {
      return await act()
    } finally {
      const left = (pins.get(digest) ?? 1) - 1
      if (left === 0) pins.delete(digest)
      else pins.set(digest, left)
    }
  }

  async function drop({ digest, ownerId, length }: BlobRecord): Promise<void> {
    await store.write([{ kind: 'delete', table: 'blobs', key: idKey(digest) }], { sync: true })
    await blobs.delete(digest)
    used.set(ownerId, Math.max(0, (used.get(ownerId) ?? 0) - length))
  }

  return {
    length: async (digest) => (await read(digest))?.length,
    usedBytes: (owner) => used.get(owner) ?? 0,
    fits: (owner, bytes) => (used.get(owner) ?? 0) + bytes <= policy.quotaBytes,
    keep: (digest, bytes, owner) =>
      pinned(digest, async () => {
        await blobs.put(digest, bytes)
        await record(digest, bytes.length, owner)
      }),
    record: (digest, length, owner) => pinned(digest, () => record(digest, length, owner)),
    bytes: (digest) => blobs.readAll(digest),
    pinned,
    async collect(inUse) {
      const oldest = clock.nowMs() - policy.graceMs
      const scanned: BlobRecord[] = []
      const range = { ...(nextScanned && { gte: nextScanned }), limit: scannedPerPassMax }
      for await (const { value } of store.iterate('blobs', range)) {
        scanned.push(decodeRecord(blobRecord, value))
      }
      const last = scanned.at(-1)
      nextScanned =
        scanned.length < scannedPerPassMax || last === undefined
          ? undefined
          : prefixRange(idKey(last.digest)).lt
      let dropped = 0
      for (const blob of scanned) {
        if (blob.createdAtMs > oldest || inUse.has(blob.digest)) continue
        if (await isReferred(blob.digest)) continue
        // Asked last, with nothing awaited in between: whoever pins it from now on finds it gone.
        if (pins.has(blob.digest)) continue
        await drop(blob)
        dropped++
      }
      await blobs.sweep((clock.nowMs() - policy.partialMs) as TimeMs)
      return dropped
    },
  }
}
