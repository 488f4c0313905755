/**
 * Copies a store as it is at one moment, while writes go on, and after it the blobs that are there then. Rows and
 * blobs are two stores: a blob deleted between the two moments is missing in the copy, so delete none meanwhile.
 */
import type { Digest } from '@shardy/protocol'
import type { BlobStore } from '../blobs/blobStore.ts'
import { engineOf } from '../engineOf.ts'
import { everything, flatRowsOf } from '../flatRows.ts'
import { placeKey, readPlace } from '../replica/position.ts'
import { readSchema } from '../schema.ts'
import type { Store } from '../store.ts'
import { StoreError } from '../storeError.ts'
import { countRows, encodeCounts, encodeHeader } from './backupRecords.ts'
import { SectionWriter } from './section.ts'

export interface BackupOptions {
  readonly blobs?: BlobStore | undefined
}

export interface BackupSummary {
  readonly rows: number
  readonly blobs: number
  readonly bytes: number
}

/** Takes the bytes in order; the next ones come once it has resolved. */
export type BackupSink = (bytes: Uint8Array) => Promise<void> | void

const rowBytesAtOnce = 1024 * 1024

export async function backupStore(
  store: Store,
  sink: BackupSink,
  { blobs }: BackupOptions = {},
): Promise<BackupSummary> {
  const writer = new SectionWriter(sink)
  const view = await engineOf(store).view()
  const rowDigest = new Bun.CryptoHasher('sha256')
  let rows = 0
  try {
    const schema = await readSchema(view)
    if (schema === undefined) throw new StoreError('corrupt', 'The store has no schema record')
    const epoch = (await readPlace(view))?.epoch ?? 0
    await writer.begin()
    await writer.write(
      'header',
      encodeHeader({ schemaVersion: schema.version, tables: schema.tables, epoch }),
    )
    for await (const piece of flatRowsOf(view.scan(everything), rowBytesAtOnce, placeKey)) {
      rowDigest.update(piece)
      rows += countRows(piece)
      await writer.write('rows', piece)
    }
  } finally {
    await view.close()
  }
  const copied = blobs === undefined ? 0 : await writeBlobs(writer, blobs)
  const counts = {
    rows,
    blobs: copied,
    rowDigest: new Uint8Array(rowDigest.digest()),
    digest: writer.digest(),
  }
  await writer.write('end', encodeCounts(counts))
  return { rows, blobs: copied, bytes: writer.bytes }
}

async function writeBlobs(writer: SectionWriter, blobs: BlobStore): Promise<number> {
  let copied = 0
  for await (const { digest } of blobs.list()) copied += await writeBlob(writer, blobs, digest)
  return copied
}

async function writeBlob(writer: SectionWriter, blobs: BlobStore, digest: Digest): Promise<number> {
  const found = await blobs.read(digest)
  // Deleted since it was listed.
  if (found.kind !== 'blob') return 0
  const begin = new Uint8Array(40)
  begin.set(Buffer.from(digest, 'hex'))
  new DataView(begin.buffer).setBigUint64(32, BigInt(found.sizeBytes))
  await writer.write('blob', begin)
  for await (const chunk of found.stream) await writer.write('blobBytes', chunk)
  return 1
}
