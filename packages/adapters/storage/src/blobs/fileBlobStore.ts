/**
 * Blobs as files: `finished/<digest>` and `partial/<digest>.<uploader>.part`. A blob gets its finished name only after its
 * bytes were hashed and fsynced, so whatever has that name is whole, also after kill -9. One process per folder:
 * whoever opens it holds the lock of the store beside it.
 */
import { constants } from 'node:fs'
import { mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Digest, RequesterId, TimeMs } from '@shardy/protocol'
import { StoreError } from '../storeError.ts'
import type {
  BeginUpload,
  BlobRead,
  BlobStore,
  ByteRange,
  PutOptions,
  StoredBlob,
  Swept,
  UnfinishedUpload,
  Upload,
} from './blobStore.ts'
import { checkBlobSize, checkDigest, hashBytes, isDigest } from './digest.ts'
import { openFilePart, readChunks, syncDirectory, writeAll } from './filePart.ts'
import { partName, readPartName } from './partName.ts'
import { PartUpload } from './partUpload.ts'

const putSuffix = '.put'

export async function openFileBlobStore(path: string, blobBytesMax: number): Promise<BlobStore> {
  return named('open the blob folder', async () => {
    const finished = join(path, 'finished')
    const partial = join(path, 'partial')
    await mkdir(finished, { recursive: true, mode: 0o700 })
    await mkdir(partial, { recursive: true, mode: 0o700 })
    for (const folder of [finished, partial, path, dirname(path)]) await syncDirectory(folder)
    return new FileBlobStore(finished, partial, blobBytesMax)
  })
}

class FileBlobStore implements BlobStore {
  readonly #finished: string
  readonly #partial: string
  readonly #blobBytesMax: number
  /** Uploads in progress by the names of their parts; `undefined` while one is being opened or swept. */
  readonly #uploads = new Map<string, Upload | undefined>()
  readonly #puts = new Set<string>()
  #putCount = 0
  #closed = false

  constructor(finished: string, partial: string, blobBytesMax: number) {
    this.#finished = finished
    this.#partial = partial
    this.#blobBytesMax = blobBytesMax
  }

  begin(digest: Digest, uploader?: RequesterId): Promise<BeginUpload> {
    return this.#work('begin an upload', digest, async () => {
      const name = partName(digest, uploader)
      if (this.#uploads.has(name)) return { kind: 'busy' }
      this.#uploads.set(name, undefined)
      const release = (): void => void this.#uploads.delete(name)
      try {
        const sizeBytes = await sizeOf(this.#finishedFile(digest))
        if (sizeBytes !== undefined) {
          await this.#settle(digest)
          await rm(join(this.#partial, name), { force: true })
          release()
          return { kind: 'stored', sizeBytes }
        }
        const upload = await this.#openUpload(digest, name, release)
        if (this.#closed) {
          await upload.suspend()
          this.#checkOpen()
        }
        this.#uploads.set(name, upload)
        return { kind: 'upload', upload }
      } catch (error) {
        release()
        throw error
      }
    })
  }

  received(digest: Digest, uploader?: RequesterId): Promise<number> {
    return this.#work('look at an upload', digest, async () => {
      const file = join(this.#partial, partName(digest, uploader))
      return (await sizeOf(file)) ?? 0
    })
  }

  async *unfinished(): AsyncGenerator<UnfinishedUpload> {
    this.#checkOpen()
    const folder = await named('list the uploads', () => opendir(this.#partial))
    for await (const { name } of folder) {
      const owner = readPartName(name)
      if (owner?.uploader === undefined) continue
      const { digest, uploader } = owner
      const found = await stat(join(this.#partial, name)).catch(ignoreMissing)
      if (found === undefined) continue
      yield { digest, uploader, sizeBytes: found.size, writtenAtMs: Math.floor(found.mtimeMs) as TimeMs }
    }
  }

  put(digest: Digest, bytes: Uint8Array, { sync = true }: PutOptions = {}): Promise<void> {
    return this.#work('store a blob', digest, async () => {
      checkBlobSize(bytes.byteLength, this.#blobBytesMax)
      const actual = hashBytes(bytes)
      if (actual !== digest)
        throw new StoreError('digestMismatch', `The bytes hash to ${actual}, not to ${digest}`)
      if ((await sizeOf(this.#finishedFile(digest))) === undefined) await this.#write(digest, bytes, sync)
      else if (sync) await this.#settle(digest)
    })
  }

  async putUnknown(bytes: Uint8Array, options: PutOptions = {}): Promise<Digest> {
    checkBlobSize(bytes.byteLength, this.#blobBytesMax)
    const digest = hashBytes(bytes)
    await this.put(digest, bytes, options)
    return digest
  }

  async has(digest: Digest): Promise<boolean> {
    return (await this.size(digest)) !== undefined
  }

  size(digest: Digest): Promise<number | undefined> {
    return this.#work('look at a blob', digest, () => sizeOf(this.#finishedFile(digest)))
  }

  read(digest: Digest, range: ByteRange = {}): Promise<BlobRead> {
    return this.#work('read a blob', digest, async () => {
      const handle = await open(this.#finishedFile(digest), 'r').catch(ignoreMissing)
      if (handle === undefined) return { kind: 'missing' }
      const sizeBytes = (await handle.stat()).size
      const { start = 0, end = sizeBytes } = range
      if (!(start >= 0 && start <= end && end <= sizeBytes)) {
        await handle.close()
        return { kind: 'rangeOutOfBounds', sizeBytes }
      }
      const chunks = readChunks(handle, start, end)
      const stream = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const chunk = await named('read a blob', () => chunks.next())
          if (chunk.done !== true) return controller.enqueue(chunk.value)
          controller.close()
          await handle.close()
        },
        cancel: () => handle.close(),
      })
      return { kind: 'blob', sizeBytes, start, end, stream }
    })
  }

  async readAll(digest: Digest): Promise<Uint8Array> {
    const found = await this.read(digest)
    if (found.kind !== 'blob') throw new StoreError('blobMissing', `There is no blob ${digest}`)
    return new Response(found.stream).bytes()
  }

  delete(digest: Digest): Promise<boolean> {
    return this.#work('delete a blob', digest, async () => {
      const removed = await rm(this.#finishedFile(digest)).then(() => true, ignoreMissing)
      return removed ?? false
    })
  }

  async *list(): AsyncGenerator<StoredBlob> {
    this.#checkOpen()
    const folder = await named('list the blobs', () => opendir(this.#finished))
    for await (const { name } of folder) {
      if (!isDigest(name)) continue
      const sizeBytes = await sizeOf(this.#finishedFile(name))
      if (sizeBytes !== undefined) yield { digest: name, sizeBytes }
    }
  }

  async sweep(beforeMs: TimeMs): Promise<Swept> {
    this.#checkOpen()
    return named('sweep old uploads', async () => {
      let uploads = 0
      let bytes = 0
      for await (const { name } of await opendir(this.#partial)) {
        const removed = await this.#sweepOne(name, beforeMs)
        if (removed === undefined) continue
        uploads += 1
        bytes += removed
      }
      return { uploads, bytes }
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const upload of this.#uploads.values()) await upload?.suspend()
  }

  async #openUpload(digest: Digest, name: string, release: () => void): Promise<Upload> {
    const partFile = join(this.#partial, name)
    const received = (await sizeOf(partFile)) ?? 0
    // The limit was lowered since: these bytes can never be finished.
    if (received > this.#blobBytesMax) await rm(partFile, { force: true })
    const part = await openFilePart(partFile, this.#finishedFile(digest))
    const failing = {
      ...part,
      append: (chunk: Uint8Array) => named('store a chunk', () => part.append(chunk)),
      hash: () => named('read an upload back', () => part.hash()),
      store: () => named('finish an upload', () => part.store()),
    }
    return new PartUpload(digest, failing, this.#blobBytesMax, release)
  }

  async #write(digest: Digest, bytes: Uint8Array, sync: boolean): Promise<void> {
    const name = `${digest}.${this.#putCount++}${putSuffix}`
    const file = join(this.#partial, name)
    this.#puts.add(name)
    try {
      const handle = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600)
      try {
        await writeAll(handle, 0, bytes)
        if (sync) await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(file, this.#finishedFile(digest))
      if (sync) await syncDirectory(this.#finished)
    } catch (error) {
      await rm(file, { force: true })
      throw error
    } finally {
      this.#puts.delete(name)
    }
  }

  /** It may have been stored without sync before. */
  async #settle(digest: Digest): Promise<void> {
    const handle = await open(this.#finishedFile(digest), 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
    await syncDirectory(this.#finished)
  }

  /** The bytes removed, or `undefined` if it stays. */
  async #sweepOne(name: string, beforeMs: TimeMs): Promise<number | undefined> {
    const isPut = name.endsWith(putSuffix) && isDigest(name.slice(0, 64))
    if (!isPut && readPartName(name) === undefined) return undefined
    if (this.#puts.has(name) || this.#uploads.has(name)) return undefined
    // Nobody may go on with it while it is being removed.
    this.#uploads.set(name, undefined)
    try {
      const file = join(this.#partial, name)
      const found = await stat(file).catch(ignoreMissing)
      if (found === undefined || found.mtimeMs >= beforeMs) return undefined
      await rm(file, { force: true })
      return found.size
    } finally {
      this.#uploads.delete(name)
    }
  }

  async #work<Result>(work: string, digest: Digest, act: () => Promise<Result>): Promise<Result> {
    this.#checkOpen()
    checkDigest(digest)
    return named(work, act)
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreError('closed', 'The blob store is closed')
  }

  #finishedFile(digest: Digest): string {
    return join(this.#finished, digest)
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(ignoreMissing))?.size
}

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined
  throw error
}

async function named<Result>(work: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (cause) {
    if (cause instanceof StoreError) throw cause
    const message = `Could not ${work}: ${cause instanceof Error ? cause.message : cause}`
    const isFull = ['ENOSPC', 'EDQUOT'].includes(codeOf(cause))
    throw isFull
      ? new StoreError('diskFull', `${message}. Free some space on that disk`, { cause })
      : new StoreError('failed', message, { cause })
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
