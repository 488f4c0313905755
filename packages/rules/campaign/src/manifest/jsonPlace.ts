/**
 * One place in a parsed JSON value, with its path. Reading it gives a value within its bound or refuses, naming the
 * field, what it holds and what it may hold. Only the surface of a hostile value is ever looked at.
 */
import { decodeHex } from '@shardy/protocol'
import { decodeBase64 } from './base64.ts'

export interface ManifestRefusal {
  readonly kind: 'missing' | 'unknownField' | 'outOfBound'
  readonly field: string
  readonly value: string
  readonly bound: string
}

export class Refused extends Error {
  readonly refusal: ManifestRefusal
  constructor(refusal: ManifestRefusal) {
    super(refusal.field)
    this.refusal = refusal
  }
}

const shownMax = 80
const cut = (text: string): string => (text.length > shownMax ? `${text.slice(0, shownMax)}…` : text)

export function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return `an object of ${Object.keys(value).length} fields`
  return typeof value === 'string' ? JSON.stringify(cut(value)) : cut(String(value))
}

export interface Place {
  readonly path: string
  readonly value: unknown
}

export function refuse({ path, value }: Place, bound: string): never {
  const kind = value === undefined ? 'missing' : 'outOfBound'
  throw new Refused({ kind, field: path, value: show(value), bound })
}

type Fields<Name extends string> = Readonly<Record<Name, Place>>

/** An object with these fields and no other; a field that is not there is a place that holds nothing. */
export function readObject<const Name extends string>(place: Place, names: readonly Name[]): Fields<Name> {
  const { path, value } = place
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(place, `an object with ${names.join(', ')}`)
  }
  const below = (name: string): string => (path === 'manifest' ? name : `${path}.${name}`)
  for (const name of Object.keys(value)) {
    if ((names as readonly string[]).includes(name)) continue
    const held: unknown = Reflect.get(value, name)
    const bound = `one of ${names.join(', ')}`
    throw new Refused({ kind: 'unknownField', field: below(cut(name)), value: show(held), bound })
  }
  const placeOf = (name: Name): Place => ({
    path: below(name),
    value: Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined,
  })
  return Object.fromEntries(names.map((name) => [name, placeOf(name)])) as Fields<Name>
}

export function readWhole(place: Place, min: number, max: number): number {
  const { value } = place
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
  return refuse(place, `a whole number from ${min} to ${max}`)
}

/** A number that JSON would round: in decimal text. */
export function readDecimal(place: Place, max: bigint): bigint {
  const { value } = place
  if (typeof value === 'string' && /^(0|[1-9][0-9]{0,19})$/.test(value) && BigInt(value) <= max) {
    return BigInt(value)
  }
  return refuse(place, `decimal text from "0" to "${max}"`)
}

export function readText(place: Place, lengthMax: number): string {
  const { value } = place
  if (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= lengthMax &&
    /^[\x20-\x7e]+$/.test(value)
  ) {
    return value
  }
  return refuse(place, `printable ASCII, 1 to ${lengthMax} characters`)
}

export function readChoice<const Word extends string>(place: Place, words: readonly Word[]): Word {
  return words.find((word) => word === place.value) ?? refuse(place, `one of ${words.join(', ')}`)
}

export function readHex(place: Place, length: number): string {
  const { value } = place
  if (typeof value === 'string' && value.length === 2 * length && decodeHex(value) !== undefined) return value
  return refuse(place, `${length} bytes as lower-case hex`)
}

/** `{ base64 }`, as everywhere in the HTTP interface. */
export function readBytes(place: Place, bytesMax: number): Uint8Array {
  const { base64 } = readObject(place, ['base64'])
  const { value } = base64
  const bytes =
    typeof value === 'string' && value.length <= Math.ceil(bytesMax / 3) * 4 ? decodeBase64(value) : undefined
  if (bytes !== undefined && bytes.length <= bytesMax) return bytes
  return refuse(base64, `canonical base64 of at most ${bytesMax} bytes`)
}

export function readList<T>(place: Place, lengthMax: number, read: (each: Place) => T): readonly T[] {
  const { path, value } = place
  if (!Array.isArray(value) || value.length > lengthMax)
    return refuse(place, `a list of at most ${lengthMax}`)
  return value.map((each: unknown, index) => read({ path: `${path}.${index}`, value: each }))
}

/** What is not there has a default; what is there is read. */
export function readOr<T>(place: Place, absent: T, read: (place: Place) => T): T {
  return place.value === undefined ? absent : read(place)
}
