/**
 * A batch as one buffer, which crosses to the database thread by transfer and shields the store from callers who
 * reuse their arrays. Per operation: kind (u8), key length (u16), value length (u32), key, value; big-endian.
 * It never reaches the disk, so it may change freely.
 */
import type { EncodedBatch } from './engine.ts'
import type { Operation } from './store.ts'

const headerBytes = 7
const putKind = 0
const deleteKind = 1
const noValue = new Uint8Array(0)

/** `tableId` becomes the first byte of each key. */
export function encodeOperations<Table extends string>(
  batch: readonly Operation<Table>[],
  tableId: (table: Table) => number,
): EncodedBatch {
  let bytes = 0
  for (const operation of batch)
    bytes += headerBytes + 1 + operation.key.byteLength + valueBytesOf(operation).byteLength
  const out = new Uint8Array(bytes)
  const view = new DataView(out.buffer)
  let at = 0
  for (const operation of batch) {
    const { key } = operation
    const value = valueBytesOf(operation)
    view.setUint8(at, operation.kind === 'put' ? putKind : deleteKind)
    view.setUint16(at + 1, key.byteLength + 1)
    view.setUint32(at + 3, value.byteLength)
    at += headerBytes
    view.setUint8(at, tableId(operation.table))
    out.set(key, at + 1)
    at += 1 + key.byteLength
    out.set(value, at)
    at += value.byteLength
  }
  return out
}

export interface OperationSink {
  put(key: Uint8Array, value: Uint8Array): void
  delete(key: Uint8Array): void
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
    else sink.delete(key)
    at = valueEnd
  }
}

function valueBytesOf(operation: Operation): Uint8Array {
  return operation.kind === 'put' ? operation.value : noValue
}
