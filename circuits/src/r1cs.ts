// Reads the .r1cs file that circom writes: for each constraint three linear combinations A, B, C of wires with A·B = C.
// Wire 0 is the constant one; then come outputs and public inputs, then private inputs, then the rest.

import { fieldModulus } from './curve.ts'
import { decodeSections, readElement, requireSection } from './sections.ts'

export interface Term {
  readonly wire: number
  readonly factor: bigint
}

export interface Constraint {
  readonly a: readonly Term[]
  readonly b: readonly Term[]
  readonly c: readonly Term[]
}

export interface R1cs {
  readonly wires: number
  readonly publicSignals: number
  readonly privateInputs: number
  readonly constraints: readonly Constraint[]
}

export class R1csError extends Error {
  override name = 'R1csError'
}

const elementBytes = 32

export function decodeR1cs(bytes: Uint8Array): R1cs {
  const sections = decodeSections('r1cs', bytes)
  const header = readNumbers(requireSection(sections, 1))
  if (header.next() !== elementBytes) throw new R1csError('elements are not of 32 bytes')
  if (header.nextElement() !== fieldModulus) throw new R1csError('the field is not that of BN254')
  const [wires, outputs, publicInputs, privateInputs] = [
    header.next(),
    header.next(),
    header.next(),
    header.next(),
  ]
  header.skip(8) // The number of labels, which only names use.
  const count = header.next()

  const body = readNumbers(requireSection(sections, 2))
  const readTerms = (): Term[] =>
    Array.from({ length: body.next() }, () => {
      const [wire, factor] = [body.next(), body.nextElement()]
      if (wire >= wires) throw new R1csError(`a constraint names wire ${wire} of ${wires}`)
      if (factor >= fieldModulus) throw new R1csError(`a factor of wire ${wire} is not below the modulus`)
      return { wire, factor }
    })
  const constraints = Array.from({ length: count }, () => ({
    a: readTerms(),
    b: readTerms(),
    c: readTerms(),
  }))
  if (body.left() !== 0) throw new R1csError(`${body.left()} bytes follow the last constraint`)
  return { wires, publicSignals: outputs + publicInputs, privateInputs, constraints }
}

/** Throws unless a compiled circuit has exactly the shape that its statement promises. */
export function checkShape(
  r1cs: R1cs,
  expected: { readonly constraints: number; readonly wires: number; readonly publicSignals: number },
): void {
  const found = [r1cs.constraints.length, r1cs.wires, r1cs.publicSignals].join(' / ')
  const wanted = [expected.constraints, expected.wires, expected.publicSignals].join(' / ')
  if (found !== wanted)
    throw new R1csError(`constraints / wires / public signals are ${found}, and should be ${wanted}`)
}

function readNumbers(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const advance = (length: number) => {
    const from = at
    if (from + length > bytes.length) throw new R1csError('a section is cut short')
    at += length
    return from
  }
  return {
    next: () => view.getUint32(advance(4), true),
    nextElement: () => readElement(bytes, advance(elementBytes)),
    skip: advance,
    left: () => bytes.length - at,
  }
}
