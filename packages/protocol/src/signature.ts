/**
 * The form of ECDSA P-256 signatures (spec S3): r‖s, 64 bytes, both from 1 to n − 1, s in the lower half. ECDSA
 * accepts both s and n − s, so without this rule anyone could make a second valid form of a signature.
 */
import type { Signature } from './ids.ts'

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

function toBytes32(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32)
  let rest = value
  for (let index = 31; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

const orderBytes = toBytes32(order)
const halfOrderBytes = toBytes32(order >> 1n)

/** Compares 32 big-endian bytes at `offset` with `other`: negative, zero or positive. */
function compare(bytes: Uint8Array, offset: number, other: Uint8Array): number {
  for (let index = 0; index < 32; index++) {
    const difference = (bytes[offset + index] ?? 0) - (other[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function isZero(bytes: Uint8Array, offset: number): boolean {
  for (let index = 0; index < 32; index++) if (bytes[offset + index] !== 0) return false
  return true
}

export function isSignature(bytes: Uint8Array): bytes is Signature {
  return (
    bytes.length === 64 &&
    !isZero(bytes, 0) &&
    compare(bytes, 0, orderBytes) < 0 &&
    !isZero(bytes, 32) &&
    compare(bytes, 32, halfOrderBytes) <= 0
  )
}

/** What a signer does with its library's output: s is replaced by n − s when it lies in the upper half. */
export function toLowS(bytes: Uint8Array): Signature {
  // Not `slice`, which on Node's `Buffer` is a view: the caller's bytes would change.
  const low = Uint8Array.from(bytes)
  if (bytes.length === 64 && compare(bytes, 32, halfOrderBytes) > 0) {
    let borrow = 0
    for (let index = 31; index >= 0; index--) {
      const difference = (orderBytes[index] ?? 0) - (bytes[32 + index] ?? 0) - borrow
      low[32 + index] = difference & 0xff
      borrow = difference < 0 ? 1 : 0
    }
  }
  if (!isSignature(low)) throw new TypeError('not an ECDSA P-256 signature')
  return low
}
