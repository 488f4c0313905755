/** HMAC-SHA256 as RFC 2104 has it, over the hash that the host gives. */
import type { Sha256 } from '@shardy/protocol'

const blockBytes = 64

export function hmacSha256(key: Uint8Array, message: Uint8Array, sha256: Sha256): Uint8Array {
  const padded = new Uint8Array(blockBytes)
  padded.set(key.length > blockBytes ? sha256(key) : key)
  const keyed = (mask: number, rest: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(blockBytes + rest.length)
    for (let at = 0; at < blockBytes; at++) bytes[at] = (padded[at] ?? 0) ^ mask
    bytes.set(rest, blockBytes)
    return sha256(bytes)
  }
  return keyed(0x5c, keyed(0x36, message))
}

/** Looks at every byte, so that the time it takes does not say where two differ. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0)
  return difference === 0
}
