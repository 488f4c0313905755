/**
 * A proving key as snarkjs writes it (`.zkey`, protocol 1), read without copying: a header, then sections in any order. Points are
 * affine and in Montgomery form, little end first, R = 2^256; a point at infinity is all zeros.
 */
import { elementLength } from '../bn254/bytes.ts'
import { baseOrder, fieldOrder } from '../bn254/orders.ts'

/** A key that is no key: a bug of who deploys it, or bytes that were not checked against the manifest. */
export class ProvingKeyError extends Error {
  override readonly name = 'ProvingKeyError'
}

export const affineG1 = 2 * elementLength
export const affineG2 = 4 * elementLength

export interface ProvingKey {
  readonly wireCount: number
  readonly signalCount: number
  readonly domainSize: number
  readonly alphaG1: Uint8Array
  readonly betaG1: Uint8Array
  readonly deltaG1: Uint8Array
  readonly betaG2: Uint8Array
  readonly deltaG2: Uint8Array
  /** Entries of A and B as `coefficientLength` bytes each: matrix, constraint, wire (u32, little end), then the value times R². */
  readonly coefficients: Uint8Array
  readonly coefficientCount: number
  /** One point for each wire. */
  readonly a: Uint8Array
  readonly b1: Uint8Array
  readonly b2: Uint8Array
  /** One for each private wire: those after the constant and the public signals. */
  readonly c: Uint8Array
  /** One for each point of the domain, shifted by a root of twice its order. */
  readonly h: Uint8Array
}

export const coefficientLength = 12 + elementLength
const wiresMax = 2 ** 22
const domainMax = 2 ** 22

export function parseProvingKey(bytes: Uint8Array): ProvingKey {
  const sections = readSections(bytes)
  const section = (id: number): Uint8Array => {
    const found = sections.get(id)
    if (found === undefined) throw new ProvingKeyError(`the key has no section ${id}`)
    return found
  }
  const protocol = viewOf(section(1))
  if (section(1).length !== 4 || protocol.getUint32(0, true) !== 1)
    throw new ProvingKeyError('the key is not one of Groth16')

  const header = section(2)
  const headerLength = 2 * (4 + elementLength) + 12 + 3 * affineG1 + 3 * affineG2
  if (header.length !== headerLength)
    throw new ProvingKeyError(`the key's header has ${header.length} bytes, not ${headerLength}`)
  const view = viewOf(header)
  readPrime(header, 0, baseOrder)
  readPrime(header, 4 + elementLength, fieldOrder)
  const at = 2 * (4 + elementLength)
  const [wireCount, signalCount, domainSize] = [0, 4, 8].map((offset) =>
    view.getUint32(at + offset, true),
  ) as [number, number, number]
  if (wireCount < 2 || wireCount > wiresMax || signalCount >= wireCount)
    throw new ProvingKeyError(`the key has ${wireCount} wires and ${signalCount} public signals`)
  if (domainSize < 2 || domainSize > domainMax || (domainSize & (domainSize - 1)) !== 0)
    throw new ProvingKeyError(
      `the key's domain has ${domainSize} points, not a power of two up to ${domainMax}`,
    )
  let next = at + 12
  function take(length: number): Uint8Array {
    next += length
    return header.subarray(next - length, next)
  }
  const alphaG1 = take(affineG1)
  const betaG1 = take(affineG1)
  const betaG2 = take(affineG2)
  take(affineG2)
  const deltaG1 = take(affineG1)
  const deltaG2 = take(affineG2)

  const points = (id: number, count: number, length: number): Uint8Array => {
    const found = section(id)
    if (found.length === count * length) return found
    throw new ProvingKeyError(`section ${id} of the key has ${found.length} bytes, not ${count * length}`)
  }
  const coefficients = section(4)
  const coefficientCount = coefficients.length < 4 ? -1 : viewOf(coefficients).getUint32(0, true)
  if (coefficients.length !== 4 + coefficientCount * coefficientLength)
    throw new ProvingKeyError(
      `section 4 of the key has ${coefficients.length} bytes for ${coefficientCount} entries`,
    )
  checkCoefficients(coefficients.subarray(4), wireCount, domainSize)
  return {
    wireCount,
    signalCount,
    domainSize,
    alphaG1,
    betaG1,
    deltaG1,
    betaG2,
    deltaG2,
    coefficients: coefficients.subarray(4),
    coefficientCount,
    a: points(5, wireCount, affineG1),
    b1: points(6, wireCount, affineG1),
    b2: points(7, wireCount, affineG2),
    c: points(8, wireCount - signalCount - 1, affineG1),
    h: points(9, domainSize, affineG1),
  }
}

function readSections(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const view = viewOf(bytes)
  const magic = 0x79656b7a
  if (bytes.length < 12 || view.getUint32(0, true) !== magic || view.getUint32(4, true) !== 1)
    throw new ProvingKeyError('the bytes do not begin as a proving key of version 1 does')
  const count = view.getUint32(8, true)
  const sections = new Map<number, Uint8Array>()
  let at = 12
  for (let index = 0; index < count; index++) {
    if (at + 12 > bytes.length)
      throw new ProvingKeyError(`the key ends within the head of section ${index + 1} of ${count}`)
    const id = view.getUint32(at, true)
    const length = view.getBigUint64(at + 4, true)
    at += 12
    if (length > BigInt(bytes.length - at)) throw new ProvingKeyError(`the key ends within its section ${id}`)
    if (sections.has(id)) throw new ProvingKeyError(`the key has its section ${id} twice`)
    sections.set(id, bytes.subarray(at, at + Number(length)))
    at += Number(length)
  }
  if (at !== bytes.length)
    throw new ProvingKeyError(`${bytes.length - at} bytes follow the key's last section`)
  return sections
}

function readPrime(header: Uint8Array, at: number, expected: bigint): void {
  const length = viewOf(header).getUint32(at, true)
  let prime = 0n
  for (let index = elementLength - 1; index >= 0; index--)
    prime = (prime << 8n) | BigInt(header[at + 4 + index] as number)
  if (length !== elementLength || prime !== expected)
    throw new ProvingKeyError(`the key is over a field of ${prime}, not over BN254's ${expected}`)
}

function checkCoefficients(entries: Uint8Array, wireCount: number, domainSize: number): void {
  const view = viewOf(entries)
  for (let at = 0; at < entries.length; at += coefficientLength) {
    const [matrix, constraint, wire] = [0, 4, 8].map((offset) => view.getUint32(at + offset, true)) as [
      number,
      number,
      number,
    ]
    if (matrix > 1 || constraint >= domainSize || wire >= wireCount)
      throw new ProvingKeyError(
        `the key has an entry for matrix ${matrix}, constraint ${constraint}, wire ${wire}`,
      )
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
