/**
 * Reads protobuf: the fields of one message in the order of the bytes. Nothing is allocated by a length that a file only
 * claims, and what lies inside a field is parts of the same memory.
 */
import { refuse } from '../refusal.ts'

/** `varint` holds wire type 0; `bytes` holds the others: 8 bytes, any number of bytes, 4 bytes. */
export interface WireField {
  readonly number: number
  readonly wire: 0 | 1 | 2 | 5
  readonly varint: bigint
  readonly bytes: Uint8Array
}

const nothing = new Uint8Array(0)
const varintBytesMax = 10

interface Cursor {
  readonly bytes: Uint8Array
  readonly place: string
  at: number
}

function readVarint(cursor: Cursor): bigint {
  const { bytes, place } = cursor
  let value = 0n
  for (let index = 0; index < varintBytesMax; index++) {
    const byte = bytes[cursor.at]
    if (byte === undefined) return refuse('malformed', place, 'ends inside a number')
    cursor.at++
    value |= BigInt(byte & 0x7f) << BigInt(7 * index)
    if (byte < 0x80) return BigInt.asUintN(64, value)
  }
  return refuse('malformed', place, `has a number of more than ${varintBytesMax} bytes`)
}

function take(cursor: Cursor, length: number): Uint8Array {
  const { bytes, place, at } = cursor
  if (length > bytes.length - at) {
    return refuse('malformed', place, `claims ${length} bytes where ${bytes.length - at} are left`)
  }
  cursor.at += length
  return bytes.subarray(at, at + length)
}

/** The fields of a message; `place` is what it is called in refusals. */
export function* fieldsOf(bytes: Uint8Array, place: string): Generator<WireField> {
  const cursor: Cursor = { bytes, place, at: 0 }
  while (cursor.at < bytes.length) {
    const tag = readVarint(cursor)
    const number = Number(tag >> 3n)
    const wire = Number(tag & 7n)
    if (number < 1 || number > 2 ** 29 - 1) refuse('malformed', place, `has the field number ${number}`)
    switch (wire) {
      case 0:
        yield { number, wire, varint: readVarint(cursor), bytes: nothing }
        break
      case 1:
        yield { number, wire, varint: 0n, bytes: take(cursor, 8) }
        break
      case 2:
        yield { number, wire, varint: 0n, bytes: take(cursor, Number(readVarint(cursor))) }
        break
      case 5:
        yield { number, wire, varint: 0n, bytes: take(cursor, 4) }
        break
      default:
        refuse('malformed', place, `has a field of wire type ${wire}`)
    }
  }
}

function wrongWire({ number, wire }: WireField, place: string): never {
  return refuse('malformed', place, `has field ${number} in wire type ${wire}`)
}

export function bytesOf(field: WireField, place: string): Uint8Array {
  return field.wire === 2 ? field.bytes : wrongWire(field, place)
}

/** A text of at most `bytesMax` bytes. */
export function textOf(field: WireField, place: string, bytesMax: number): string {
  const bytes = bytesOf(field, place)
  if (bytes.length > bytesMax) {
    refuse('tooLarge', place, `has a text of ${bytes.length} bytes, the limit is ${bytesMax}`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return refuse('malformed', place, `has a text in field ${field.number} that is not UTF-8`)
  }
}

function signed(value: bigint, place: string): number {
  const number = Number(BigInt.asIntN(64, value))
  return Number.isSafeInteger(number) ? number : refuse('unsupported', place, `has the number ${number}`)
}

/** A signed whole number, which must be one that a double holds. */
export function integerOf(field: WireField, place: string): number {
  return field.wire === 0 ? signed(field.varint, place) : wrongWire(field, place)
}

export function floatOf(field: WireField, place: string): number {
  if (field.wire !== 5) return wrongWire(field, place)
  const { buffer, byteOffset } = field.bytes
  return new DataView(buffer, byteOffset, 4).getFloat32(0, true)
}

/** The whole numbers of one occurrence of a repeated field, packed or not, appended to `into`. */
export function pushIntegers(into: number[], field: WireField, place: string, countMax: number): void {
  const room = () => {
    if (into.length >= countMax) refuse('tooLarge', place, `has more than ${countMax} numbers`)
  }
  if (field.wire !== 2) {
    room()
    into.push(integerOf(field, place))
    return
  }
  const cursor: Cursor = { bytes: field.bytes, place, at: 0 }
  while (cursor.at < field.bytes.length) {
    room()
    into.push(signed(readVarint(cursor), place))
  }
}

/** The same for floats of 4 bytes or 8. */
export function pushFloats(
  into: number[],
  field: WireField,
  place: string,
  countMax: number,
  size: 4 | 8,
): void {
  const { wire, bytes } = field
  if (wire !== 2 && wire !== (size === 4 ? 5 : 1)) wrongWire(field, place)
  const count = bytes.length / size
  if (!Number.isInteger(count)) refuse('malformed', place, `has ${bytes.length} bytes of floats of ${size}`)
  if (into.length + count > countMax) refuse('tooLarge', place, `has more than ${countMax} numbers`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let index = 0; index < count; index++) {
    into.push(size === 4 ? view.getFloat32(4 * index, true) : view.getFloat64(8 * index, true))
  }
}
