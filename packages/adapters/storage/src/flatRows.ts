/**
 * Rows of the flat key space as the bytes of a batch of puts (`operations.ts`), which a store can apply as they are.
 * They come from outside, a file or a connection, so reading checks every length before anything is applied.
 */
import { keyBytesMax, valueBytesMax } from './bounds.ts'
import type { EncodedBatch, KeyRange, Scan } from './engine.ts'
import { putHeader, putHeaderBytes } from './operations.ts'
import type { Entry } from './store.ts'

/** Every key of every table: a table's number is 254 at most (`tableIds.ts`). */
export const everything: KeyRange = { gte: Uint8Array.of(0), lt: Uint8Array.of(0xff), reverse: false }
const pageRows = 512

export function encodeFlatRows(rows: readonly Entry[]): EncodedBatch {
  let bytes = 0
  for (const { key, value } of rows) bytes += putHeaderBytes + key.byteLength + value.byteLength
  const out = new Uint8Array(bytes)
  const view = new DataView(out.buffer)
  let at = 0
  for (const { key, value } of rows) {
    at = putHeader(view, at, key.byteLength, value.byteLength)
    out.set(key, at)
    at += key.byteLength
    out.set(value, at)
    at += value.byteLength
  }
  return out
}

/** The number of rows, or what is wrong with them. `after` is the last key before these; keys only ever rise. */
export function checkFlatRows(
  bytes: Uint8Array,
  after: Uint8Array | undefined,
): { readonly rows: number; readonly last: Uint8Array | undefined } | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let rows = 0
  let last = after
  let at = 0
  while (at < bytes.byteLength) {
    if (bytes.byteLength - at < putHeaderBytes) return `a row is cut short at byte ${at}`
    const keyBytes = view.getUint16(at + 1)
    const valueBytes = view.getUint32(at + 3)
    if (view.getUint8(at) !== 0) return `byte ${at} begins no row`
    // The number of the table comes before what the caller calls the key.
    if (keyBytes < 2 || keyBytes > keyBytesMax + 1) return `a key of ${keyBytes} bytes at byte ${at}`
    if (valueBytes > valueBytesMax) return `a value of ${valueBytes} bytes at byte ${at}`
    const keyAt = at + putHeaderBytes
    if (keyAt + keyBytes + valueBytes > bytes.byteLength) return `a row is cut short at byte ${at}`
    const key = bytes.subarray(keyAt, keyAt + keyBytes)
    if (last !== undefined && Buffer.compare(last, key) >= 0) return `keys out of order at byte ${at}`
    last = key
    rows += 1
    at = keyAt + keyBytes + valueBytes
  }
  return { rows, last: last?.slice() }
}

/** Pieces of about `bytesAtOnce`, more only where one row is larger. Rows under `except` are left out. */
export async function* flatRowsOf(
  scan: Scan,
  bytesAtOnce: number,
  except: Uint8Array,
): AsyncGenerator<EncodedBatch> {
  let rows: Entry[] = []
  let bytes = 0
  try {
    let finished = false
    while (!finished) {
      const page = await scan.next(pageRows)
      for (const row of page.rows) {
        if (Buffer.compare(row.key, except) === 0) continue
        rows.push(row)
        bytes += row.key.byteLength + row.value.byteLength
        if (bytes < bytesAtOnce) continue
        yield encodeFlatRows(rows)
        rows = []
        bytes = 0
      }
      finished = page.finished
    }
    if (rows.length > 0) yield encodeFlatRows(rows)
  } finally {
    await scan.close()
  }
}
