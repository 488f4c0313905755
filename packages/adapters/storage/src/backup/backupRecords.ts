/** What the first and the last section of a backup say. */
import { readOperations } from '../operations.ts'
import { StoreError } from '../storeError.ts'
import { changed, formatVersion } from './section.ts'

export interface BackupHeader {
  readonly schemaVersion: number
  readonly tables: readonly string[]
  /** Of the primary it was taken from; 0 when there was no log. */
  readonly epoch: number
}

export interface BackupCounts {
  readonly rows: number
  readonly blobs: number
  /** Over all rows as they follow each other, wherever sections part them. */
  readonly rowDigest: Uint8Array
  readonly digest: Uint8Array
}

const countsBytes = 16 + 32 + 32

export function encodeHeader(header: BackupHeader): Uint8Array {
  const { schemaVersion, tables, epoch } = header
  return new TextEncoder().encode(JSON.stringify({ format: formatVersion, schemaVersion, tables, epoch }))
}

export function decodeHeader(bytes: Uint8Array): BackupHeader {
  const record = parse(bytes)
  if (record === undefined || typeof record.format !== 'number') throw changed('in its header')
  if (record.format !== formatVersion) {
    throw new StoreError(
      'backupForeign',
      `The backup has format ${record.format}, this program reads ${formatVersion}: use the one that wrote it`,
    )
  }
  const { schemaVersion, tables, epoch } = record
  if (!isCount(schemaVersion) || !isCount(epoch) || !isTexts(tables)) throw changed('in its header')
  return { schemaVersion, tables, epoch }
}

export function encodeCounts({ rows, blobs, rowDigest, digest }: BackupCounts): Uint8Array {
  const bytes = new Uint8Array(countsBytes)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(rows))
  new DataView(bytes.buffer).setBigUint64(8, BigInt(blobs))
  bytes.set(rowDigest, 16)
  bytes.set(digest, 48)
  return bytes
}

export function decodeCounts(bytes: Uint8Array): BackupCounts {
  if (bytes.byteLength !== countsBytes) throw changed('at its end')
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return {
    rows: Number(view.getBigUint64(0)),
    blobs: Number(view.getBigUint64(8)),
    rowDigest: bytes.slice(16, 48),
    digest: bytes.slice(48),
  }
}

export function countRows(piece: Uint8Array): number {
  let rows = 0
  const count = (): void => {
    rows += 1
  }
  readOperations(piece, { put: count, delete: count, deleteRange: count })
  return rows
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const record: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return typeof record === 'object' && record !== null ? { ...record } : undefined
  } catch {
    return undefined
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}
