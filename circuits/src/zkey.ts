// Reads a Groth16 .zkey file as snarkjs writes it. Points stay as they are, in affine Montgomery form, with infinity as
// zeros; only the coefficients of A and B become numbers.

import { createHash } from 'node:crypto'
import type { Curve, Group } from 'ffjavascript'
import { fieldModulus } from './curve.ts'
import { power } from './field.ts'
import { decodeSections, readElement, requireSection, SectionError } from './sections.ts'

export interface Coefficient {
  readonly matrix: 'a' | 'b'
  readonly row: number
  readonly wire: number
  readonly factor: bigint
}

export interface Zkey {
  readonly wires: number
  readonly publicSignals: number
  readonly domain: number
  readonly alphaG1: Uint8Array
  readonly betaG1: Uint8Array
  readonly betaG2: Uint8Array
  readonly gammaG2: Uint8Array
  readonly deltaG1: Uint8Array
  readonly deltaG2: Uint8Array
  readonly coefficients: readonly Coefficient[]
  /** One point for each public signal and the constant. */
  readonly signals: Uint8Array
  /** For each wire, its polynomial of A in G1, of B in G1, and of B in G2. */
  readonly a: Uint8Array
  readonly bG1: Uint8Array
  readonly bG2: Uint8Array
  /** For each private wire. */
  readonly c: Uint8Array
  /** For each odd power of the root of twice the domain's order. */
  readonly h: Uint8Array
  readonly contributions: readonly Contribution[]
}

/** One turn of the second phase of a ceremony. */
export interface Contribution {
  readonly deltaG1: Uint8Array
  readonly commitmentG1: Uint8Array
  readonly appliedG1: Uint8Array
  readonly appliedG2: Uint8Array
  readonly transcript: Uint8Array
}

const coefficientBytes = 44
/** Factors are stored times the square of 2^256. */
const unscale = power(1n << 256n, 2n * (fieldModulus - 2n))

export function decodeZkey(bytes: Uint8Array): Zkey {
  const sections = decodeSections('zkey', bytes)
  const [protocol, header] = [requireSection(sections, 1), requireSection(sections, 2)]
  if (protocol[0] !== 1) throw new SectionError('not a Groth16 key')
  if (header.length !== 660) throw new SectionError(`its header is ${header.length} bytes and not 660`)
  if (readElement(header, 40) !== fieldModulus) throw new SectionError('the field is not that of BN254')
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  const point = (at: number, length: number) => header.slice(at, at + length)
  return {
    wires: view.getUint32(72, true),
    publicSignals: view.getUint32(76, true),
    domain: view.getUint32(80, true),
    alphaG1: point(84, 64),
    betaG1: point(148, 64),
    betaG2: point(212, 128),
    gammaG2: point(340, 128),
    deltaG1: point(468, 64),
    deltaG2: point(532, 128),
    coefficients: decodeCoefficients(requireSection(sections, 4)),
    signals: requireSection(sections, 3),
    a: requireSection(sections, 5),
    bG1: requireSection(sections, 6),
    bG2: requireSection(sections, 7),
    c: requireSection(sections, 8),
    h: requireSection(sections, 9),
    contributions: decodeContributions(requireSection(sections, 10)),
  }
}

function decodeCoefficients(bytes: Uint8Array): Coefficient[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = view.getUint32(0, true)
  if (bytes.length !== 4 + count * coefficientBytes) throw new SectionError('coefficients are cut short')
  return Array.from({ length: count }, (_, index) => {
    const at = 4 + index * coefficientBytes
    return {
      matrix: view.getUint32(at, true) === 0 ? 'a' : 'b',
      row: view.getUint32(at + 4, true),
      wire: view.getUint32(at + 8, true),
      factor: (readElement(bytes, at + 12) * unscale) % fieldModulus,
    }
  })
}

function decodeContributions(bytes: Uint8Array): Contribution[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 64
  const count = view.getUint32(at, true)
  at += 4
  const take = (length: number) => {
    if (at + length > bytes.length) throw new SectionError('contributions are cut short')
    at += length
    return bytes.slice(at - length, at)
  }
  return Array.from({ length: count }, () => {
    const found = {
      deltaG1: take(64),
      commitmentG1: take(64),
      appliedG1: take(64),
      appliedG2: take(128),
      transcript: take(64),
    }
    take(4) // Whether a person or a beacon; then its name and the like, which nothing is proven about.
    take(new DataView(take(4).buffer).getUint32(0, true))
    return found
  })
}

/** The name that snarkjs gives a contribution, in hex. */
export function hashContribution({ G1, G2 }: Curve, contribution: Contribution): string {
  const hash = createHash('blake2b512')
  const add = (group: Group, point: Uint8Array) => {
    const bytes = new Uint8Array(point.length)
    group.toRprUncompressed(bytes, 0, point)
    hash.update(bytes)
  }
  add(G1, contribution.deltaG1)
  add(G1, contribution.commitmentG1)
  add(G1, contribution.appliedG1)
  add(G2, contribution.appliedG2)
  return hash.update(contribution.transcript).digest('hex')
}
