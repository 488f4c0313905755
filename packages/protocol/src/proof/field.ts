/**
 * The scalar field of BN254, in which proofs speak (spec E1, E2): numbers from 0 up to, and without, r. As bytes they have 32,
 * highest first, and one encoding: what is not below r is refused and never reduced.
 */
import { encodeHex } from '../schema/hex.ts'

/** The number r of the field's elements, a prime of 254 bits. */
export const scalarFieldOrder = 21888242871839275222246405745257275088548364400416034343698204186575808495617n

export const fieldBytes = 32

export function isFieldElement(value: bigint): boolean {
  return value >= 0n && value < scalarFieldOrder
}

export function encodeFieldElement(value: bigint): Uint8Array {
  if (!isFieldElement(value)) throw new RangeError(`${value} is no element of the scalar field`)
  const bytes = new Uint8Array(fieldBytes)
  const view = new DataView(bytes.buffer)
  for (let word = 0; word < 4; word++)
    view.setBigUint64(8 * word, (value >> BigInt(64 * (3 - word))) & 0xffff_ffff_ffff_ffffn)
  return bytes
}

/** Undefined unless the bytes are exactly 32 and their number is below r. */
export function decodeFieldElement(bytes: Uint8Array): bigint | undefined {
  if (bytes.length !== fieldBytes) return undefined
  const value = bigEndian(bytes)
  return isFieldElement(value) ? value : undefined
}

/** The bytes as one whole number, highest first. */
export function bigEndian(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${encodeHex(bytes)}`)
}
