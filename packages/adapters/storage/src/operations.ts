/**
 * A batch as one buffer, which crosses to the database thread by transfer and shields the store from callers who
 * reuse their arrays. Per operation: kind (u8), key length (u16), value length (u32), key, value; big-endian. A
 * deleted range has its beginning as key and its end as value. The bytes also go to followers (`replica/`): a change
 * to them is a new version of those frames.
 */
import type { EncodedBatch } from './engine.ts'
import type { Operation } from './store.ts'

const headerBytes = 7
const putKind = 0
const deleteKind = 1
const deleteRangeKind = 2
const nothing = new Uint8Array(0)

/** `tableId` becomes the first byte of each key. */
export function encodeOperations<Table extends string>(
  batch: readonly Operation<Table>[],
  tableId: (table: Table) => number,
): EncodedBatch {
  let bytes = 0
  for (const operation of batch) {
    if (operation.kind === 'put')
      bytes += headerBytes + 1 + operation.key.byteLength + operation.value.byteLength
    else if (operation.kind === 'delete') bytes += headerBytes + 1 + operation.key.byteLength
    else bytes += headerBytes + 2 + (operation.gte?.byteLength ?? 0) + (operation.lt?.byteLength ?? 0)
  }
  const out = new Uint8Array(bytes)
  const view = new DataView(out.buffer)
  let at = 0
  for (const operation of batch) {
    const id = tableId(operation.table)
    if (operation.kind === 'deleteRange') {
      const { gte = nothing, lt } = operation
      out[at] = deleteRangeKind
      view.setUint16(at + 1, gte.byteLength + 1)
      view.setUint32(at + 3, (lt?.byteLength ?? 0) + 1)
      at += headerBytes
      out[at] = id
      out.set(gte, at + 1)
      at += 1 + gte.byteLength
      out[at] = lt === undefined ? id + 1 : id
      if (lt !== undefined) out.set(lt, at + 1)
      at += 1 + (lt?.byteLength ?? 0)
      continue
    }
    const { key } = operation
    const value = operation.kind === 'put' ? operation.value : nothing
    out[at] = operation.kind === 'put' ? putKind : deleteKind
    view.setUint16(at + 1, key.byteLength + 1)
    view.setUint32(at + 3, value.byteLength)
    at += headerBytes
    out[at] = id
    out.set(key, at + 1)
    at += 1 + key.byteLength
    if (value !== nothing) out.set(value, at)
    at += value.byteLength
  }
  return out
}

/** For rows that have their whole keys already: writes the header of a put and says where its key begins. */
export function putHeader(view: DataView, at: number, keyBytes: number, valueBytes: number): number {
  view.setUint8(at, putKind)
  view.setUint16(at + 1, keyBytes)
  view.setUint32(at + 3, valueBytes)
  return at + headerBytes
}

/** Of the flat key space, for whoever clears more than tables. */
export function encodeDeletedRange(gte: Uint8Array, lt: Uint8Array): EncodedBatch {
  const out = new Uint8Array(headerBytes + gte.byteLength + lt.byteLength)
  const view = new DataView(out.buffer)
  const at = putHeader(view, 0, gte.byteLength, lt.byteLength)
  out[0] = deleteRangeKind
  out.set(gte, at)
  out.set(lt, at + gte.byteLength)
  return out
}

export const putHeaderBytes = headerBytes

export interface OperationSink {
  put(key: Uint8Array, value: Uint8Array): void
  delete(key: Uint8Array): void
  /** An end that is not above the beginning is an empty range. */
  deleteRange(gte: Uint8Array, lt: Uint8Array): void
}

/** The arrays handed out are views of `bytes`: copy what outlives the call. */
export function readOperations(bytes: Uint8Array, sink: OperationSink): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  while (at < bytes.byteLength) {
    const kind = view.getUint8(at)
    const keyEnd = at + headerBytes + view.getUint16(at + 1)
    const valueEnd = keyEnd + view.getUint32(at + 3)
    const key = bytes.subarray(at + headerBytes, keyEnd)
    if (kind === putKind) sink.put(key, bytes.subarray(keyEnd, valueEnd))
    else if (kind === deleteKind) sink.delete(key)
    else if (kind === deleteRangeKind) sink.deleteRange(key, bytes.subarray(keyEnd, valueEnd))
    else throw new Error(`Operation kind ${kind} at byte ${at} of a batch`)
    at = valueEnd
  }
}
