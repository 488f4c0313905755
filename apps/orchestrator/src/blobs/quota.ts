/**
 * How many bytes each requester's blobs and unfinished uploads take. Uploads are known to this process alone: after a
 * restart their bytes belong to whoever goes on with them, until they are swept.
 */
import type { Digest, RequesterId, TimeMs } from '@shardy/protocol'

interface Reserved {
  readonly owner: RequesterId
  readonly bytes: number
  readonly atMs: TimeMs
}

export interface Quota {
  fits(owner: RequesterId, bytes: number): boolean
  /** For blobs that are kept; negative when one goes. */
  add(owner: RequesterId, bytes: number): void
  /** Makes room for an upload of so many bytes in all, in place of what it took before; false when there is none. */
  reserve(digest: Digest, bytes: number, owner: RequesterId, atMs: TimeMs): boolean
  release(digest: Digest): void
  releaseOlder(beforeMs: TimeMs): void
  uploader(digest: Digest): RequesterId | undefined
}

/** Unfinished uploads of one requester: a file costs something however empty it is. */
const uploadsMax = 256

export function createQuota(quotaBytes: number): Quota {
  const used = new Map<RequesterId, number>()
  const uploads = new Map<Digest, Reserved>()
  const uploadCounts = new Map<RequesterId, number>()

  function change(sums: Map<RequesterId, number>, owner: RequesterId, by: number): void {
    const sum = (sums.get(owner) ?? 0) + by
    if (sum > 0) sums.set(owner, sum)
    else sums.delete(owner)
  }
  const add = (owner: RequesterId, bytes: number): void => change(used, owner, bytes)
  const count = (owner: RequesterId, uploads: number): void => change(uploadCounts, owner, uploads)

  function release(digest: Digest): void {
    const reserved = uploads.get(digest)
    if (reserved === undefined) return
    uploads.delete(digest)
    count(reserved.owner, -1)
    add(reserved.owner, -reserved.bytes)
  }

  const fits = (owner: RequesterId, bytes: number): boolean => (used.get(owner) ?? 0) + bytes <= quotaBytes

  return {
    fits,
    add,
    reserve(digest, wanted, owner, atMs) {
      const before = uploads.get(digest)
      const isOwn = before?.owner === owner
      const own = isOwn ? before.bytes : 0
      const bytes = Math.max(own, wanted)
      if (!fits(owner, bytes - own)) return false
      if (!isOwn && (uploadCounts.get(owner) ?? 0) >= uploadsMax) return false
      release(digest)
      count(owner, 1)
      add(owner, bytes)
      uploads.set(digest, { owner, bytes, atMs })
      return true
    },
    release,
    releaseOlder(beforeMs) {
      for (const [digest, { atMs }] of uploads) if (atMs < beforeMs) release(digest)
    },
    uploader: (digest) => uploads.get(digest)?.owner,
  }
}
