// Reads the .r1cs file that circom writes: for each constraint three linear combinations A, B, C of wires with A·B = C.
// Wire 0 is the constant one; then come outputs and public inputs, then private inputs, then the rest.

import { fieldModulus } from './curve.ts'

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
const headerSection = 1
const constraintSection = 2

export function decodeR1cs(bytes: Uint8Array): R1cs {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const sections = readSections(bytes, view)
  const [header, body] = [sections.get(headerSection), sections.get(constraintSection)]
  if (header === undefined || body === undefined) throw new R1csError('header or constraints are missing')

  let at = header.start
  const read = () => {
    const value = view.getUint32(at, true)
    at += 4
    return value
  }
  if (read() !== elementBytes) throw new R1csError('elements are not of 32 bytes')
  if (readElement(bytes, at) !== fieldModulus) throw new R1csError('the field is not that of BN254')
  at += elementBytes
  const [wires, outputs, publicInputs, privateInputs] = [read(), read(), read(), read()]
  at += 8 // The number of labels, which only names use.
  const count = read()

  at = body.start
  const readTerms = (): Term[] =>
    Array.from({ length: read() }, () => {
      const wire = read()
      if (wire >= wires) throw new R1csError(`a constraint names wire ${wire} of ${wires}`)
      const factor = readElement(bytes, at)
      if (factor >= fieldModulus) throw new R1csError(`a factor of wire ${wire} is not below the modulus`)
      at += elementBytes
      return { wire, factor }
    })
  const constraints = Array.from({ length: count }, () => ({
    a: readTerms(),
    b: readTerms(),
    c: readTerms(),
  }))
  if (at !== body.end) throw new R1csError(`constraints end at byte ${at}, their section at ${body.end}`)
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

function readSections(
  bytes: Uint8Array,
  view: DataView,
): ReadonlyMap<number, { readonly start: number; readonly end: number }> {
  if (bytes.length < 12 || new TextDecoder().decode(bytes.subarray(0, 4)) !== 'r1cs')
    throw new R1csError('not an .r1cs file')
  if (view.getUint32(4, true) !== 1) throw new R1csError(`version ${view.getUint32(4, true)} is not known`)
  const sections = new Map<number, { start: number; end: number }>()
  let at = 12
  for (let left = view.getUint32(8, true); left > 0; left--) {
    if (at + 12 > bytes.length) throw new R1csError('the file is cut short')
    const id = view.getUint32(at, true)
    const start = at + 12
    const end = start + Number(view.getBigUint64(at + 4, true))
    if (end > bytes.length) throw new R1csError('the file is cut short')
    if (sections.has(id)) throw new R1csError(`section ${id} comes twice`)
    sections.set(id, { start, end })
    at = end
  }
  return sections
}

function readElement(bytes: Uint8Array, at: number): bigint {
  const hex = Buffer.from(bytes.subarray(at, at + elementBytes))
    .reverse()
    .toString('hex')
  return BigInt(`0x${hex}`)
}
