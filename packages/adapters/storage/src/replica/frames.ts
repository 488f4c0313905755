/**
 * What a primary sends its follower, one byte string each, over any transport that keeps their order and bounds:
 * entries of the log, or a snapshot in pieces where the log no longer reaches back. An entry is checked by its chain,
 * which covers all history before it; the frames of a snapshot end with a SHA-256 over themselves.
 */
import { StoreError } from '../storeError.ts'
import { type Position, positionBytes, readPosition, sameBytes, writePosition } from './position.ts'

export type LogFrame =
  | { readonly kind: 'entry'; readonly position: Position; readonly operations: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'snapshotBegin'; readonly position: Position }
  | { readonly kind: 'snapshotRows'; readonly index: number; readonly rows: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'snapshotEnd'; readonly pieces: number; readonly digest: Uint8Array }

const kinds: readonly LogFrame['kind'][] = ['entry', 'snapshotBegin', 'snapshotRows', 'snapshotEnd']
const digestBytes = 32

export function encodeFrame(frame: LogFrame): Uint8Array<ArrayBuffer> {
  switch (frame.kind) {
    case 'entry': {
      const out = new Uint8Array(1 + positionBytes + frame.operations.byteLength)
      writePosition(out, 1, frame.position)
      out.set(frame.operations, 1 + positionBytes)
      return out
    }
    case 'snapshotBegin': {
      const body = new Uint8Array(positionBytes)
      writePosition(body, 0, frame.position)
      return digested(frame.kind, body)
    }
    case 'snapshotRows': {
      const body = new Uint8Array(4 + frame.rows.byteLength)
      new DataView(body.buffer).setUint32(0, frame.index)
      body.set(frame.rows, 4)
      return digested(frame.kind, body)
    }
    case 'snapshotEnd': {
      const body = new Uint8Array(4 + digestBytes)
      new DataView(body.buffer).setUint32(0, frame.pieces)
      body.set(frame.digest, 4)
      return digested(frame.kind, body)
    }
  }
}

export function decodeFrame(bytes: Uint8Array): LogFrame {
  const kind = kinds[bytes[0] ?? kinds.length]
  if (kind === undefined) throw corruptFrame('it is of no known kind')
  if (kind === 'entry') {
    if (bytes.byteLength <= 1 + positionBytes) throw corruptFrame('it is cut short')
    return { kind, position: readPosition(bytes, 1), operations: bytes.slice(1 + positionBytes) }
  }
  const body = bytes.slice(1, -digestBytes)
  if (
    bytes.byteLength < 1 + digestBytes ||
    !sameBytes(bytes.subarray(-digestBytes), sha256(bytes, digestBytes))
  )
    throw corruptFrame('its bytes are not as they were sent')
  const view = new DataView(body.buffer)
  if (kind === 'snapshotBegin' && body.byteLength === positionBytes)
    return { kind, position: readPosition(body, 0) }
  if (kind === 'snapshotRows' && body.byteLength > 4)
    return { kind, index: view.getUint32(0), rows: body.slice(4) }
  if (kind === 'snapshotEnd' && body.byteLength === 4 + digestBytes)
    return { kind, pieces: view.getUint32(0), digest: body.slice(4) }
  throw corruptFrame('it has another length')
}

export function corruptFrame(what: string): StoreError {
  return new StoreError('logCorrupt', `A frame of the log was refused: ${what}. Ask for the log again`)
}

function digested(kind: LogFrame['kind'], body: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(1 + body.byteLength + digestBytes)
  out[0] = kinds.indexOf(kind)
  out.set(body, 1)
  out.set(sha256(out, digestBytes), 1 + body.byteLength)
  return out
}

function sha256(bytes: Uint8Array, without: number): Uint8Array {
  const part = bytes.subarray(0, bytes.byteLength - without)
  return new Uint8Array(new Bun.CryptoHasher('sha256').update(part).digest())
}
