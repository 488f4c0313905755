/** The memory twin of the file blob store, for tests and for a store that is to leave nothing behind. */
import type { Digest, RequesterId, TimeMs } from '@shardy/protocol'
import { StoreError } from '../storeError.ts'
import type {
  BeginUpload,
  BlobRead,
  BlobStore,
  ByteRange,
  StoredBlob,
  Swept,
  UnfinishedUpload,
  Upload,
} from './blobStore.ts'
import { checkBlobSize, checkDigest, hashBytes, hashChunks } from './digest.ts'
import { partName, readPartName } from './partName.ts'
import { PartUpload } from './partUpload.ts'

interface MemoryPart {
  readonly chunks: Uint8Array<ArrayBuffer>[]
  size: number
  writtenMs: number
}

const streamBytes = 256 * 1024

export function openMemoryBlobStore(blobBytesMax: number, nowMs: () => number = Date.now): BlobStore {
  return new MemoryBlobStore(blobBytesMax, nowMs)
}

class MemoryBlobStore implements BlobStore {
  readonly #blobBytesMax: number
  readonly #nowMs: () => number
  readonly #finished = new Map<Digest, Uint8Array<ArrayBuffer>>()
  /** By name, as their files would have it. */
  readonly #parts = new Map<string, MemoryPart>()
  readonly #uploads = new Map<string, Upload>()
  #closed = false

  constructor(blobBytesMax: number, nowMs: () => number) {
    this.#blobBytesMax = blobBytesMax
    this.#nowMs = nowMs
  }

  async begin(digest: Digest, uploader?: RequesterId): Promise<BeginUpload> {
    this.#check(digest)
    const name = partName(digest, uploader)
    if (this.#uploads.has(name)) return { kind: 'busy' }
    const stored = this.#finished.get(digest)
    if (stored !== undefined) {
      this.#parts.delete(name)
      return { kind: 'stored', sizeBytes: stored.byteLength }
    }
    const upload = this.#openUpload(digest, name)
    this.#uploads.set(name, upload)
    return { kind: 'upload', upload }
  }

  async received(digest: Digest, uploader?: RequesterId): Promise<number> {
    this.#check(digest)
    return this.#parts.get(partName(digest, uploader))?.size ?? 0
  }

  async *unfinished(): AsyncGenerator<UnfinishedUpload> {
    this.#checkOpen()
    for (const [name, { size, writtenMs }] of [...this.#parts]) {
      const owner = readPartName(name)
      if (owner?.uploader === undefined) continue
      const { digest, uploader } = owner
      yield { digest, uploader, sizeBytes: size, writtenAtMs: writtenMs as TimeMs }
    }
  }

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    this.#check(digest)
    checkBlobSize(bytes.byteLength, this.#blobBytesMax)
    const actual = hashBytes(bytes)
    if (actual !== digest)
      throw new StoreError('digestMismatch', `The bytes hash to ${actual}, not to ${digest}`)
    this.#finished.set(digest, bytes.slice())
  }

  async putUnknown(bytes: Uint8Array): Promise<Digest> {
    checkBlobSize(bytes.byteLength, this.#blobBytesMax)
    const digest = hashBytes(bytes)
    await this.put(digest, bytes)
    return digest
  }

  async has(digest: Digest): Promise<boolean> {
    return (await this.size(digest)) !== undefined
  }

  async size(digest: Digest): Promise<number | undefined> {
    this.#check(digest)
    return this.#finished.get(digest)?.byteLength
  }

  async read(digest: Digest, range: ByteRange = {}): Promise<BlobRead> {
    this.#check(digest)
    const bytes = this.#finished.get(digest)
    if (bytes === undefined) return { kind: 'missing' }
    const sizeBytes = bytes.byteLength
    const { start = 0, end = sizeBytes } = range
    if (!(start >= 0 && start <= end && end <= sizeBytes)) return { kind: 'rangeOutOfBounds', sizeBytes }
    let at = start
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= end) return controller.close()
        controller.enqueue(bytes.slice(at, Math.min(at + streamBytes, end)))
        at += streamBytes
      },
    })
    return { kind: 'blob', sizeBytes, start, end, stream }
  }

  async readAll(digest: Digest): Promise<Uint8Array> {
    this.#check(digest)
    const bytes = this.#finished.get(digest)
    if (bytes === undefined) throw new StoreError('blobMissing', `There is no blob ${digest}`)
    return bytes.slice()
  }

  async delete(digest: Digest): Promise<boolean> {
    this.#check(digest)
    return this.#finished.delete(digest)
  }

  async *list(): AsyncGenerator<StoredBlob> {
    this.#checkOpen()
    for (const [digest, bytes] of [...this.#finished]) yield { digest, sizeBytes: bytes.byteLength }
  }

  async sweep(beforeMs: TimeMs): Promise<Swept> {
    this.#checkOpen()
    const stale = [...this.#parts].filter(
      ([name, part]) => !this.#uploads.has(name) && part.writtenMs < beforeMs,
    )
    for (const [name] of stale) this.#parts.delete(name)
    return { uploads: stale.length, bytes: stale.reduce((sum, [, part]) => sum + part.size, 0) }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const upload of this.#uploads.values()) await upload.suspend()
  }

  #openUpload(digest: Digest, name: string): Upload {
    const part = this.#parts.get(name) ?? { chunks: [], size: 0, writtenMs: this.#nowMs() }
    this.#parts.set(name, part)
    const remove = (): void => void this.#parts.delete(name)
    return new PartUpload(
      digest,
      {
        size: () => part.size,
        append: async (chunk) => {
          part.chunks.push(chunk.slice())
          part.size += chunk.byteLength
          part.writtenMs = this.#nowMs()
        },
        hash: () => hashChunks(part.chunks),
        store: async () => {
          this.#finished.set(digest, await new Blob(part.chunks).bytes())
          remove()
        },
        keep: async () => {
          if (part.size === 0) remove()
        },
        remove: async () => remove(),
      },
      this.#blobBytesMax,
      () => void this.#uploads.delete(name),
    )
  }

  #check(digest: Digest): void {
    this.#checkOpen()
    checkDigest(digest)
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreError('closed', 'The blob store is closed')
  }
}
