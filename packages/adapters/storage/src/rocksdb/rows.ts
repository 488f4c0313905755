/**
 * Many byte strings as one buffer, to be moved between threads: each is its length plus one (u32, big-endian; 0 for
 * "there is none") and its bytes. A page of rows is keys and values in turn.
 */
import type { Values } from '../engine.ts'
import type { Entry } from '../store.ts'

const lengthBytes = 4

export function encodeValues(values: Values): Uint8Array<ArrayBuffer> {
  let bytes = 0
  for (const value of values) bytes += lengthBytes + (value?.byteLength ?? 0)
  const out = new Uint8Array(bytes)
  const view = new DataView(out.buffer)
  let at = 0
  for (const value of values) {
    view.setUint32(at, value === undefined ? 0 : value.byteLength + 1)
    at += lengthBytes
    if (value === undefined) continue
    out.set(value, at)
    at += value.byteLength
  }
  return out
}

/** Copies each value out, so that keeping one does not keep its whole page. */
export function decodeValues(bytes: Uint8Array): Values {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values: (Uint8Array | undefined)[] = []
  let at = 0
  while (at < bytes.byteLength) {
    const length = view.getUint32(at)
    at += lengthBytes
    if (length === 0) {
      values.push(undefined)
      continue
    }
    values.push(bytes.slice(at, at + length - 1))
    at += length - 1
  }
  return values
}

export function decodeRows(bytes: Uint8Array): Entry[] {
  const values = decodeValues(bytes)
  const rows: Entry[] = []
  for (let index = 0; index + 1 < values.length; index += 2) {
    const key = values[index]
    const value = values[index + 1]
    if (key !== undefined && value !== undefined) rows.push({ key, value })
  }
  return rows
}
