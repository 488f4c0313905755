/**
 * How many bytes each requester's blobs and unfinished uploads take. An upload is its requester's own, also where others upload
 * the same digest: each is charged for what it brings until that is finished, dropped or swept.
 */
import type { Digest, RequesterId, TimeMs } from '@shardy/protocol'

interface Reserved {
  readonly bytes: number
  readonly atMs: TimeMs
}

export interface Quota {
  fits(owner: RequesterId, bytes: number): boolean
  /** For blobs that are kept; negative when one goes. */
  add(owner: RequesterId, bytes: number): void
  /** Makes room for an upload of so many bytes in all, in place of what it took before; false when there is none. */
  reserve(digest: Digest, bytes: number, owner: RequesterId, atMs: TimeMs): boolean
  /** Counts an upload that is on disk already, whether or not it fits. */
  found(digest: Digest, bytes: number, owner: RequesterId, atMs: TimeMs): void
  release(digest: Digest, owner: RequesterId): void
  releaseOlder(beforeMs: TimeMs): void
}

/** Unfinished uploads of one requester: a file costs something however empty it is. */
const uploadsMax = 256

export function createQuota(quotaBytes: number): Quota {
  const used = new Map<RequesterId, number>()
  const uploads = new Map<RequesterId, Map<Digest, Reserved>>()

  function add(owner: RequesterId, bytes: number): void {
    const sum = (used.get(owner) ?? 0) + bytes
    if (sum > 0) used.set(owner, sum)
    else used.delete(owner)
  }

  function release(digest: Digest, owner: RequesterId): void {
    const own = uploads.get(owner)
    const reserved = own?.get(digest)
    if (own === undefined || reserved === undefined) return
    own.delete(digest)
    if (own.size === 0) uploads.delete(owner)
    add(owner, -reserved.bytes)
  }

  function found(digest: Digest, bytes: number, owner: RequesterId, atMs: TimeMs): void {
    release(digest, owner)
    const own = uploads.get(owner) ?? new Map<Digest, Reserved>()
    uploads.set(owner, own.set(digest, { bytes, atMs }))
    add(owner, bytes)
  }

  const fits = (owner: RequesterId, bytes: number): boolean => (used.get(owner) ?? 0) + bytes <= quotaBytes

  return {
    fits,
    add,
    found,
    reserve(digest, wanted, owner, atMs) {
      const own = uploads.get(owner)
      const before = own?.get(digest)
      const bytes = Math.max(before?.bytes ?? 0, wanted)
      if (!fits(owner, bytes - (before?.bytes ?? 0))) return false
      if (before === undefined && (own?.size ?? 0) >= uploadsMax) return false
      found(digest, bytes, owner, atMs)
      return true
    },
    release,
    releaseOlder(beforeMs) {
      for (const [owner, own] of uploads) {
        for (const [digest, { atMs }] of own) if (atMs < beforeMs) release(digest, owner)
      }
    },
  }
}
