/**
 * A proof of snarkjs as a fixed row of points and numbers: in its JSON and in bytes (points as x, y; everything 32 bytes, big
 * end first). Both are strict, so that a proof has one of each.
 */
import { baseOrder, fieldOrder, type Outcome, type Refused, refuse, type SystemName } from '@shardy/proofs'
import { elementLength, readDecimal, readElement, writeElement } from './field.ts'

export type UniversalName = 'plonk' | 'fflonk'

/** What a place of the row holds, and where it stands in the JSON: below a group or at the top. */
export interface Place {
  readonly group?: 'polynomials' | 'evaluations'
  readonly name: string
  readonly kind: 'point' | 'number'
}

export type Point = readonly [x: bigint, y: bigint]

export interface ProofForm {
  readonly system: SystemName
  readonly places: readonly Place[]
  readonly proofLength: number
}

const lengthOf = ({ kind }: Place): number => (kind === 'point' ? 2 : 1) * elementLength

export function proofForm(system: SystemName, places: readonly Place[]): ProofForm {
  return { system, places, proofLength: places.reduce((sum, place) => sum + lengthOf(place), 0) }
}

export const pathOf = ({ group, name }: Place): string => (group === undefined ? name : `${group}.${name}`)

type Fields = Readonly<Record<string, unknown>>

export function objectOf(json: unknown, what: string): Outcome<Fields> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json))
    return { ok: true, value: { ...json } }
  return refuse('malformed', `${what} in JSON is an object`)
}

/** The system and the curve come first: what is wrong with the rest follows from another form. */
export function refuseKind(fields: Fields, system: SystemName, what: string): Refused | undefined {
  if (fields.protocol !== system)
    return refuse('wrongSystem', `the ${what}'s protocol is ${show(fields.protocol)}, not "${system}"`)
  if (fields.curve !== 'bn128')
    return refuse('wrongCurve', `the ${what}'s curve is ${show(fields.curve)}, not "bn128"`)
  return undefined
}

export function proofFromJson(form: ProofForm, json: unknown): Outcome<Uint8Array> {
  const proof = objectOf(json, 'a proof')
  if (!proof.ok) return proof
  const wrongKind = refuseKind(proof.value, form.system, 'proof')
  if (wrongKind !== undefined) return wrongKind
  const groups = new Set(form.places.map(({ group }) => group))
  const sections = new Map<Place['group'], Fields>()
  for (const group of groups) {
    const fields = group === undefined ? proof : objectOf(proof.value[group], group)
    if (!fields.ok) return fields
    sections.set(group, fields.value)
  }
  const namesIn = (group: Place['group']) =>
    form.places.filter((place) => place.group === group).map(({ name }) => name)
  const top = [
    ...namesIn(undefined),
    ...[...groups].filter((group) => group !== undefined),
    'curve',
    'protocol',
  ]
  const wrongNames =
    refuseNames(proof.value, top, 'a proof') ??
    [...sections]
      .filter(([group]) => group !== undefined)
      .map(([group, fields]) => refuseNames(fields, namesIn(group), String(group)))
      .find((refused) => refused !== undefined)
  if (wrongNames !== undefined) return wrongNames
  const bytes = new Uint8Array(form.proofLength)
  let at = 0
  for (const place of form.places) {
    const refused = writePlace(bytes, at, place, sections.get(place.group)?.[place.name])
    if (refused !== undefined) return refused
    at += lengthOf(place)
  }
  return { ok: true, value: bytes }
}

function writePlace(to: Uint8Array, at: number, place: Place, json: unknown): Refused | undefined {
  if (place.kind === 'number') {
    const number = readDecimal(json, pathOf(place), fieldOrder)
    if (!number.ok) return number
    writeElement(to, at, number.value)
    return undefined
  }
  const point = pointFromJson(json, pathOf(place))
  if (!point.ok) return point
  writeElement(to, at, point.value[0])
  writeElement(to, at + elementLength, point.value[1])
  return undefined
}

export function pointFromJson(json: unknown, name: string): Outcome<Point> {
  if (!Array.isArray(json) || json.length !== 3)
    return refuse('malformed', `${name} is not a list of three numbers`)
  if (json[2] === '0') return refuse('infinity', `${name} is the point at infinity`)
  if (json[2] !== '1') return refuse('malformed', `${name} ends with ${show(json[2])}, not "1"`)
  const x = readDecimal(json[0], `${name}.x`, baseOrder)
  if (!x.ok) return x
  const y = readDecimal(json[1], `${name}.y`, baseOrder)
  return y.ok ? { ok: true, value: [x.value, y.value] } : y
}

export interface ProofParts {
  readonly points: ReadonlyMap<string, Point>
  readonly numbers: ReadonlyMap<string, bigint>
}

/** From bytes, with every number below its modulus and no point at infinity; whether points are on the curve is not asked. */
export function readProof(form: ProofForm, proof: Uint8Array): Outcome<ProofParts> {
  if (proof.length !== form.proofLength)
    return refuse('malformed', `the proof has ${proof.length} bytes, not ${form.proofLength}`)
  const points = new Map<string, Point>()
  const numbers = new Map<string, bigint>()
  let at = 0
  for (const place of form.places) {
    const path = pathOf(place)
    if (place.kind === 'number') {
      const value = readElement(proof, at)
      if (value >= fieldOrder) return refuse('nonCanonical', `${path} is ${value}, not below ${fieldOrder}`)
      numbers.set(path, value)
    } else {
      const [x, y] = [readElement(proof, at), readElement(proof, at + elementLength)]
      if (x === 0n && y === 0n) return refuse('infinity', `${path} is the point at infinity`)
      if (x >= baseOrder || y >= baseOrder)
        return refuse('nonCanonical', `a coordinate of ${path} is not below ${baseOrder}`)
      points.set(path, [x, y])
    }
    at += lengthOf(place)
  }
  return { ok: true, value: { points, numbers } }
}

export function proofToJson(form: ProofForm, proof: Uint8Array): Outcome<Readonly<Record<string, unknown>>> {
  const parts = readProof(form, proof)
  if (!parts.ok) return parts
  const json: Record<string, unknown> = {}
  for (const place of form.places) {
    const path = pathOf(place)
    const point = parts.value.points.get(path)
    const value = point === undefined ? String(parts.value.numbers.get(path)) : [...point.map(String), '1']
    if (place.group === undefined) json[place.name] = value
    else json[place.group] = { ...(json[place.group] as Fields | undefined), [place.name]: value }
  }
  return { ok: true, value: { ...json, protocol: form.system, curve: 'bn128' } }
}

/** y² = x³ + 3. All such points are of the group. */
export const isOnCurve = ([x, y]: Point): boolean => (y * y - x * x * x - 3n) % baseOrder === 0n

function refuseNames(fields: Fields, names: readonly string[], what: string): Refused | undefined {
  const [expected, found] = [names.toSorted(), Object.keys(fields).sort()]
  if (expected.join() === found.join()) return undefined
  return refuse(
    'malformed',
    `${what} has the fields ${expected.join(', ')}; there are ${found.slice(0, 24).join(', ')}`,
  )
}

/** Short, whatever it is. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  return value === undefined ? 'missing' : typeof value
}
