/** Reads a backup from its beginning to its end, and lets nothing pass that is not as it was written. */
import type { Digest } from '@shardy/protocol'
import { checkFlatRows } from '../flatRows.ts'
import { placeKey, sameBytes } from '../replica/position.ts'
import { type BackupHeader, decodeCounts, decodeHeader } from './backupRecords.ts'
import type { BackupSummary } from './backupStore.ts'
import { changed, magic, readSections } from './section.ts'

export type BackupPart =
  | { readonly kind: 'header'; readonly header: BackupHeader }
  | { readonly kind: 'rows'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'blob'; readonly digest: Digest; readonly sizeBytes: number }
  /** Belongs to the blob before; `last` comes with an empty one too. */
  | { readonly kind: 'blobBytes'; readonly bytes: Uint8Array; readonly last: boolean }
  | { readonly kind: 'end'; readonly summary: BackupSummary; readonly rowDigest: Uint8Array }

interface OpenBlob {
  readonly digest: Digest
  readonly hasher: Bun.CryptoHasher
  left: number
}

export async function* readBackup(source: AsyncIterable<Uint8Array>): AsyncGenerator<BackupPart> {
  let stage: 'header' | 'rows' | 'blobs' = 'header'
  let lastKey: Uint8Array | undefined
  let blob: OpenBlob | undefined
  let [rows, blobs, bytes] = [0, 0, magic.byteLength]
  const rowDigest = new Bun.CryptoHasher('sha256')
  for await (const section of readSections(source)) {
    bytes += section.bytes.byteLength + 37
    const isFirst = stage === 'header'
    if (isFirst !== (section.kind === 'header')) throw changed('its sections are in another order')
    if ((blob !== undefined) !== (section.kind === 'blobBytes')) throw changed('a blob is cut short')
    if (section.kind === 'header') {
      stage = 'rows'
      yield { kind: 'header', header: decodeHeader(section.bytes) }
    } else if (section.kind === 'rows') {
      if (stage !== 'rows') throw changed('its sections are in another order')
      const found = checkFlatRows(section.bytes, lastKey)
      if (typeof found === 'string') throw changed(found)
      if (holdsKey(section.bytes, placeKey)) throw changed('it has a row that no backup has')
      rowDigest.update(section.bytes)
      rows += found.rows
      lastKey = found.last
      yield { kind: 'rows', bytes: section.bytes }
    } else if (section.kind === 'blob') {
      stage = 'blobs'
      if (section.bytes.byteLength !== 40) throw changed('a blob has no name')
      const sizeBytes = Number(new DataView(section.bytes.buffer).getBigUint64(32))
      const digest = Buffer.from(section.bytes.subarray(0, 32)).toString('hex') as Digest
      blobs += 1
      yield { kind: 'blob', digest, sizeBytes }
      const hasher = new Bun.CryptoHasher('sha256')
      if (sizeBytes === 0) yield { kind: 'blobBytes', bytes: finished(digest, hasher), last: true }
      else blob = { digest, hasher, left: sizeBytes }
    } else if (section.kind === 'blobBytes' && blob !== undefined) {
      blob.left -= section.bytes.byteLength
      blob.hasher.update(section.bytes)
      if (blob.left < 0 || section.bytes.byteLength === 0)
        throw changed(`blob ${blob.digest} has another length`)
      const last = blob.left === 0
      if (last) finished(blob.digest, blob.hasher)
      yield { kind: 'blobBytes', bytes: section.bytes, last }
      if (last) blob = undefined
    } else {
      const counts = decodeCounts(section.bytes)
      const hashed = new Uint8Array(rowDigest.digest())
      const isWhole = sameBytes(counts.digest, section.before) && sameBytes(counts.rowDigest, hashed)
      if (!isWhole || counts.rows !== rows || counts.blobs !== blobs) throw changed('sections are missing')
      yield { kind: 'end', summary: { rows, blobs, bytes }, rowDigest: counts.rowDigest }
    }
  }
}

/** Reads it to its end and writes nothing: whether this copy could be restored. */
export async function verifyBackup(
  source: AsyncIterable<Uint8Array>,
): Promise<BackupSummary & { readonly header: BackupHeader }> {
  let header: BackupHeader | undefined
  for await (const part of readBackup(source)) {
    if (part.kind === 'header') header = part.header
    if (part.kind === 'end' && header !== undefined) return { ...part.summary, header }
  }
  throw changed('it has no end')
}

function finished(digest: Digest, hasher: Bun.CryptoHasher): Uint8Array {
  if (hasher.digest('hex') !== digest) throw changed(`blob ${digest} has other bytes`)
  return new Uint8Array(0)
}

/** Rows are checked before: their lengths can be trusted here. */
function holdsKey(bytes: Uint8Array, key: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  // Such a row sorts before those of all tables.
  while (at < bytes.byteLength && bytes[at + 7] === 0) {
    const keyBytes = view.getUint16(at + 1)
    if (sameBytes(bytes.subarray(at + 7, at + 7 + keyBytes), key)) return true
    at += 7 + keyBytes + view.getUint32(at + 3)
  }
  return false
}
