/**
 * What a primary streams to its standby: frames of the store's log as they are, the names of blobs that later frames may rely
 * on, and where the primary stands. Each message is its kind, its length and its bytes.
 */
import { type Digest, decodeHex, encodeHex } from '@shardy/protocol'
import type { Position } from '@shardy/storage'

export type ReplicaMessage =
  | { readonly kind: 'frame'; readonly frame: Uint8Array }
  /** Its bytes are here: fetch them before the frames that follow. */
  | { readonly kind: 'blob'; readonly digest: Digest }
  /** How far the primary has come; also sent when nothing happens. */
  | { readonly kind: 'reached'; readonly sequence: number }

const kinds = ['frame', 'blob', 'reached'] as const
const headBytes = 5
/** A frame holds a batch of the store's, or a piece of a snapshot. */
const messageBytesMax = 80 * 1024 * 1024

export function encodeMessage(message: ReplicaMessage): Uint8Array {
  const body = bodyOf(message)
  const bytes = new Uint8Array(headBytes + body.length)
  bytes[0] = kinds.indexOf(message.kind)
  new DataView(bytes.buffer).setUint32(1, body.length)
  bytes.set(body, headBytes)
  return bytes
}

function bodyOf(message: ReplicaMessage): Uint8Array {
  switch (message.kind) {
    case 'frame':
      return message.frame
    case 'blob':
      return decodeHex(message.digest) as Uint8Array
    case 'reached': {
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setBigUint64(0, BigInt(message.sequence))
      return bytes
    }
  }
}

export class ReplicaStreamError extends Error {
  override readonly name = 'ReplicaStreamError'
}

/** A stream that ends within a message just ends: the next one goes on from what was applied. */
export async function* readMessages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ReplicaMessage> {
  let held: Uint8Array = new Uint8Array(0)
  for await (const chunk of chunks) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    let at = 0
    while (held.length - at >= headBytes) {
      const view = new DataView(held.buffer, held.byteOffset + at)
      const kind = kinds[view.getUint8(0)]
      const length = view.getUint32(1)
      if (kind === undefined || length > messageBytesMax) {
        throw new ReplicaStreamError(
          `a message of kind ${view.getUint8(0)} with ${length} bytes is none of ours`,
        )
      }
      if (held.length - at < headBytes + length) break
      yield decodeBody(kind, held.slice(at + headBytes, at + headBytes + length))
      at += headBytes + length
    }
    held = held.subarray(at)
  }
}

function decodeBody(kind: ReplicaMessage['kind'], body: Uint8Array): ReplicaMessage {
  if (kind === 'frame') return { kind, frame: body }
  if (kind === 'blob' && body.length === 32) return { kind, digest: encodeHex(body) as Digest }
  if (kind === 'reached' && body.length === 8) {
    return { kind, sequence: Number(new DataView(body.buffer, body.byteOffset).getBigUint64(0)) }
  }
  throw new ReplicaStreamError(`a message of kind ${kind} has ${body.length} bytes`)
}

/** As text, for queries and JSON. */
export interface PlainPosition {
  readonly epoch: number
  readonly sequence: number
  readonly chain: string
}

export const plainPosition = ({ epoch, sequence, chain }: Position): PlainPosition => ({
  epoch,
  sequence,
  chain: encodeHex(chain),
})

export function positionOf({ epoch, sequence, chain }: PlainPosition): Position | undefined {
  const bytes = decodeHex(chain)
  return bytes?.length === 32 ? { epoch, sequence, chain: bytes } : undefined
}
