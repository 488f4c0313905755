/**
 * Makes a store from a backup. It grows in a folder beside the one asked for, is read back and compared, and gets
 * its name as the last step: whatever has the name is whole, also after kill -9. Blobs go to the blob store as they
 * are read; their names are their digests, so what an attempt that failed left there is harmless.
 */
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { BlobStore, Upload } from '../blobs/blobStore.ts'
import { syncDirectory } from '../blobs/filePart.ts'
import type { Engine } from '../engine.ts'
import { encodeFlatRows, everything, flatRowsOf } from '../flatRows.ts'
import { openEngine } from '../openStore.ts'
import { chainBytes, encodePlace, placeKey, sameBytes } from '../replica/position.ts'
import { readSchema, schemaKey } from '../schema.ts'
import { StoreError } from '../storeError.ts'
import type { BackupHeader } from './backupRecords.ts'
import type { BackupSummary } from './backupStore.ts'
import { type BackupPart, readBackup } from './readBackup.ts'
import { changed } from './section.ts'

export interface RestoreOptions {
  readonly kind: 'rocksdb' | 'sqlite'
  /** A folder that is empty or not there. */
  readonly path: string
  /** Needed when the backup has blobs. */
  readonly blobs?: BlobStore | undefined
}

const readBytesAtOnce = 1024 * 1024

export async function restoreStore(
  source: AsyncIterable<Uint8Array>,
  { kind, path, blobs }: RestoreOptions,
): Promise<BackupSummary> {
  const found = await readdir(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw new StoreError('notEmpty', `${path} is no empty folder`, { cause: error })
  })
  if (found.length > 0) {
    const message = `${path} is not empty: a backup is restored into a folder of its own, never over data`
    throw new StoreError('notEmpty', message)
  }
  const growing = `${path}.restoring`
  await rm(growing, { recursive: true, force: true })
  await mkdir(dirname(path), { recursive: true })
  try {
    const engine = await openEngine({ kind, path: growing })
    let summary: BackupSummary
    try {
      summary = await fill(engine, source, blobs)
    } finally {
      await engine.close()
    }
    await syncDirectory(growing)
    await rmdir(path).catch(() => {})
    await rename(growing, path)
    await syncDirectory(dirname(path))
    return summary
  } catch (error) {
    await rm(growing, { recursive: true, force: true })
    throw error
  }
}

async function fill(
  engine: Engine,
  source: AsyncIterable<Uint8Array>,
  blobs: BlobStore | undefined,
): Promise<BackupSummary> {
  let header: BackupHeader | undefined
  const upload: { current: Upload | undefined } = { current: undefined }
  try {
    for await (const part of readBackup(source)) {
      if (part.kind === 'header') header = part.header
      else if (part.kind === 'rows') await engine.commit([part.bytes], false)
      else if (part.kind === 'end') {
        await seal(engine, header, part.rowDigest)
        return part.summary
      } else await takeBlob(part, blobs, upload)
    }
  } finally {
    await upload.current?.drop()
  }
  throw changed('it has no end')
}

async function takeBlob(
  part: Extract<BackupPart, { kind: 'blob' | 'blobBytes' }>,
  blobs: BlobStore | undefined,
  upload: { current: Upload | undefined },
): Promise<void> {
  if (part.kind === 'blob') {
    if (blobs === undefined)
      throw new StoreError('blobMissing', 'The backup has blobs: name the blob store that they go to')
    const begun = await blobs.begin(part.digest)
    if (begun.kind === 'busy')
      throw new StoreError('locked', `Blob ${part.digest} is being written by another`)
    upload.current = begun.kind === 'upload' ? begun.upload : undefined
    // What an interrupted upload left is not trusted to be a prefix.
    if (upload.current !== undefined && upload.current.receivedBytes() > 0) {
      await upload.current.drop()
      const again = await blobs.begin(part.digest)
      upload.current = again.kind === 'upload' ? again.upload : undefined
    }
    return
  }
  const { current } = upload
  if (current === undefined) return
  if (part.bytes.byteLength > 0) {
    const appended = await current.append(current.receivedBytes(), part.bytes)
    if (appended.kind === 'tooLarge')
      throw new StoreError('blobTooLarge', `A blob has at most ${appended.blobBytesMax} bytes here`)
    if (appended.kind !== 'appended')
      throw new StoreError('failed', `Could not store a blob: ${appended.kind}`)
  }
  if (!part.last) return
  const finished = await current.finish()
  upload.current = undefined
  if (finished.kind !== 'stored') throw changed(`blob ${current.digest} has other bytes`)
}

/** Makes all of it durable, then reads it back. */
async function seal(engine: Engine, header: BackupHeader | undefined, rowDigest: Uint8Array): Promise<void> {
  const schema = await readSchema(engine)
  const agrees =
    schema !== undefined &&
    schema.version === header?.schemaVersion &&
    schema.tables.join() === header.tables.join()
  if (!agrees) throw changed('its header speaks of another schema than its rows')
  const [record] = await engine.getMany([schemaKey])
  const last = [encodeFlatRows([{ key: schemaKey, value: record ?? new Uint8Array(0) }])]
  if (header.epoch > 0) {
    // A history of its own: followers of the store that was backed up must not take it for that.
    const chain = crypto.getRandomValues(new Uint8Array(chainBytes))
    last.push(encodePlace({ role: 'primary', epoch: header.epoch, sequence: 0, chain }))
  }
  await engine.commit(last, true)
  const hasher = new Bun.CryptoHasher('sha256')
  for await (const piece of flatRowsOf(engine.scan(everything), readBytesAtOnce, placeKey))
    hasher.update(piece)
  if (!sameBytes(new Uint8Array(hasher.digest()), rowDigest))
    throw new StoreError('corrupt', 'What was restored reads back as other rows: do not trust this disk')
}
