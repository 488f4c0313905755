/**
 * From an output to one element of the scalar field (spec E3 to E6). The output's SHA-256, which is its digest everywhere else, is
 * hashed with its length into 512 bits and only then reduced, so nobody hashes an output twice and every element is as likely
 * as any other but for 2^-256.
 */
import type { Sha256 } from '../hash.ts'
import type { Digest } from '../ids.ts'
import { decodeHexInto, encodeHex } from '../schema/hex.ts'
import { bigEndian, scalarFieldOrder } from './field.ts'

/** ASCII `DPN2SNAR`, read as one number. */
export const foldDomainTag = 0x44504e32534e4152n

/** Tag, half, digest, length. */
const halfBytes = 8 + 1 + 32 + 8

export function foldDigest(outputDigest: Digest, outputLength: number, sha256: Sha256): bigint {
  if (!Number.isSafeInteger(outputLength) || outputLength < 0)
    throw new RangeError(`${outputLength} is no length`)
  const content = new Uint8Array(halfBytes)
  const view = new DataView(content.buffer)
  view.setBigUint64(0, foldDomainTag)
  if (!decodeHexInto(outputDigest, content, 9, 32)) throw new TypeError(`${outputDigest} is no digest`)
  view.setBigUint64(41, BigInt(outputLength))
  const wide = new Uint8Array(64)
  wide.set(sha256(content))
  content[8] = 1
  wide.set(sha256(content), 32)
  return reduceWide(wide)
}

export function foldOutputToField(output: Uint8Array, sha256: Sha256): bigint {
  return foldDigest(encodeHex(sha256(output)) as Digest, output.length, sha256)
}

/** 64 bytes, highest first, modulo r (spec E5). */
export function reduceWide(wide: Uint8Array): bigint {
  if (wide.length !== 64) throw new RangeError(`64 bytes are reduced, not ${wide.length}`)
  return bigEndian(wide) % scalarFieldOrder
}
