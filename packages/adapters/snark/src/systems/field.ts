/** The numbers of BN254 as bigints, for what is checked before snarkjs sees it: never on a hot path. */
import { fieldOrder, type Outcome, refuse } from '@shardy/proofs'

export const elementLength = 32
/** Any number below 2^256 has at most this many digits. */
const digitsMax = 78

/** Written in its one way: digits, no leading zero, below the modulus. */
export function readDecimal(text: unknown, name: string, modulus: bigint): Outcome<bigint> {
  if (typeof text !== 'string' || text.length > digitsMax || !/^[0-9]+$/.test(text))
    return refuse('malformed', `${name} is not a string of 1 to ${digitsMax} digits`)
  if (text.length > 1 && text.startsWith('0'))
    return refuse('nonCanonical', `${name} begins with a zero: ${text}`)
  const value = BigInt(text)
  if (value >= modulus) return refuse('nonCanonical', `${name} is ${value}, not below ${modulus}`)
  return { ok: true, value }
}

export function writeElement(to: Uint8Array, at: number, value: bigint): void {
  const view = new DataView(to.buffer, to.byteOffset + at, elementLength)
  for (let word = 0; word < 4; word++) view.setBigUint64(8 * word, value >> BigInt(192 - 64 * word))
}

export function readElement(from: Uint8Array, at: number): bigint {
  const view = new DataView(from.buffer, from.byteOffset + at, elementLength)
  let value = 0n
  for (let word = 0; word < 4; word++) value = (value << 64n) | view.getBigUint64(8 * word)
  return value
}

export const reduce = (value: bigint): bigint => ((value % fieldOrder) + fieldOrder) % fieldOrder

export function product(factors: readonly bigint[]): bigint {
  return factors.reduce((left, right) => reduce(left * right), 1n)
}

export function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % fieldOrder
    if (bit === '1') result = (result * base) % fieldOrder
  }
  return result
}

/** 5 generates the field; snarkjs derives the roots of its domains from it. */
export const rootOfUnity = (domainPower: number): bigint =>
  power(5n, (fieldOrder - 1n) >> BigInt(domainPower))
