/** SHA-256 of the host's own crypto library, for Bun and Node. Reached through `@shardy/crypto/native` only. */
import { createHash as createNodeHash, hash as hashOnce } from 'node:crypto'
import { type Hash, HashEndedError, type Hashing } from './hashing.ts'

/** A Buffer's `slice` shares memory where a Uint8Array's copies, so a Buffer must not pose as one. */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

/** Bun's own call costs half of Node's where there is little to hash, which is most of what is hashed. */
const hashShort: (bytes: Uint8Array) => Uint8Array =
  typeof Bun === 'undefined'
    ? (bytes) => new Uint8Array(hashOnce('sha256', bytes, 'buffer'))
    : (bytes) => Bun.SHA256.hash(bytes) as Uint8Array

/** Above this a copy of each piece into the cache is made first: hashing from there is a quarter faster than from memory. */
const copiedFrom = 1 << 20
const piece = new Uint8Array(1 << 16)

export function sha256(bytes: Uint8Array): Uint8Array {
  if (bytes.length < copiedFrom) return hashShort(bytes)
  const inner = createNodeHash('sha256')
  let offset = 0
  for (; offset + piece.length <= bytes.length; offset += piece.length) {
    piece.set(bytes.subarray(offset, offset + piece.length))
    inner.update(piece)
  }
  return plain(inner.update(bytes.subarray(offset)).digest())
}

export function createHash(): Hash {
  const inner = createNodeHash('sha256')
  let ended = false
  const hash: Hash = {
    update(bytes) {
      if (ended) throw new HashEndedError()
      inner.update(bytes)
      return hash
    },
    digest() {
      if (ended) throw new HashEndedError()
      ended = true
      return plain(inner.digest())
    },
  }
  return hash
}

export const nativeHashing: Hashing = { sha256, createHash }
