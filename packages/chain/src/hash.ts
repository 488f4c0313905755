/** The hashes of a chain, each with a tag of its own behind the domain (docs/spec/benchmark.md, N4). */
import { domainPayload, type Sha256 } from '@shardy/protocol'

export const tags = { start: 0, matrix: 1, base: 2, mark: 3 } as const
export type Tag = (typeof tags)[keyof typeof tags]

export function hash(tag: Tag, sha256: Sha256, bytes: Uint8Array, ...words: readonly number[]): Uint8Array {
  const content = new Uint8Array(1 + bytes.length + 4 * words.length)
  content[0] = tag
  content.set(bytes, 1)
  const view = new DataView(content.buffer)
  for (const [index, word] of words.entries()) view.setUint32(1 + bytes.length + 4 * index, word, true)
  return sha256(domainPayload('benchmark', content))
}

/** So many bytes out of a start: block i is the hash of the start and i. */
export function expand(tag: Tag, start: Uint8Array, length: number, sha256: Sha256): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 32) {
    bytes.set(hash(tag, sha256, start, at / 32).subarray(0, length - at), at)
  }
  return bytes
}
