/**
 * The kinds of values that a field may hold, each with its limits. A codec writes and reads a value without its
 * tag; `isDefault` says which value proto3 leaves out, `absent` what a missing field means (undefined: required).
 */
import type { PublicKey, Signature } from '../ids.ts'
import { isSignature } from '../signature.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export type WireType = 0 | 1 | 2

export interface Codec<T> {
  readonly wireType: WireType
  /** How a `.proto` file spells the type, and the limit that its comment states. */
  readonly proto: { readonly type: string; readonly note: string; readonly label?: 'repeated' | 'optional' }
  readonly absent: { readonly value: T } | undefined
  isDefault(value: T): boolean
  write(writer: Writer, value: T): void
  read(reader: Reader): T
  /** Set on a repeated field: reads one more element into the list. */
  readNext?(reader: Reader, list: T | undefined): T
  /** Set on a repeated field: every element has a tag of its own. */
  writeAll?(writer: Writer, tag: number, value: T): void
}

const never = (): boolean => false

function assertRange(value: number, min: number, max: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new RangeError(`${what} ${value} is not a whole number from ${min} to ${max}`)
  }
}

/** A whole number; zero is left out of the encoding, so a range that begins at one makes the field required. */
export function whole<T extends number = number>(min: number, max: number): Codec<T> {
  assertRange(max, 0, Number.MAX_SAFE_INTEGER, 'max')
  assertRange(min, 0, max, 'min')
  return {
    wireType: 0,
    proto: { type: max > 0xffff_ffff ? 'uint64' : 'uint32', note: `${min} to ${max}` },
    absent: min === 0 ? { value: 0 as T } : undefined,
    isDefault: min === 0 ? (value) => value === 0 : never,
    write(writer, value) {
      assertRange(value, min, max, 'value')
      writer.varint(value)
    },
    read(reader) {
      const value = reader.varint()
      if (value < min || value > max) {
        reader.refuse({
          kind: 'outOfRange',
          field: reader.path(),
          min: String(min),
          max: String(max),
          actual: String(value),
        })
      }
      return value as T
    },
  }
}

/** A whole number of either sign, zigzag as in protobuf's sint64; zero is left out of the encoding. */
export function integer(min: number, max: number): Codec<number> {
  const limit = Math.floor(Number.MAX_SAFE_INTEGER / 2)
  if (!(min <= 0 && max >= 0 && min >= -limit && max <= limit)) {
    throw new RangeError(`${min} to ${max} is not a range around zero that zigzag can write exactly`)
  }
  return {
    wireType: 0,
    proto: { type: 'sint64', note: `${min} to ${max}` },
    absent: { value: 0 },
    isDefault: (value) => value === 0,
    write(writer, value) {
      assertRange(value, min, max, 'value')
      writer.varint(value < 0 ? -2 * value - 1 : 2 * value)
    },
    read(reader) {
      const zigzag = reader.varint()
      const value = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
      if (value < min || value > max) {
        reader.refuse({
          kind: 'outOfRange',
          field: reader.path(),
          min: String(min),
          max: String(max),
          actual: String(value),
        })
      }
      return value
    },
  }
}

/** An exact amount of money; at most 2^63 − 1. */
export function amount<T extends bigint>(): Codec<T> {
  const max = 2n ** 63n - 1n
  return {
    wireType: 0,
    proto: { type: 'uint64', note: '0 to 2^63 - 1' },
    absent: { value: 0n as T },
    isDefault: (value) => value === 0n,
    write(writer, value) {
      if (value < 0n || value > max) throw new RangeError(`amount ${value} is not from 0 to 2^63 - 1`)
      writer.varint64(value)
    },
    read(reader) {
      const value = reader.varint64()
      if (value > max) {
        reader.refuse({
          kind: 'outOfRange',
          field: reader.path(),
          min: '0',
          max: String(max),
          actual: String(value),
        })
      }
      return value as T
    },
  }
}

/** Any 64 bits; fixed width because seeds are spread evenly. */
export function bits64(): Codec<bigint> {
  const max = 2n ** 64n - 1n
  return {
    wireType: 1,
    proto: { type: 'fixed64', note: 'any 64 bits' },
    absent: { value: 0n },
    isDefault: (value) => value === 0n,
    write(writer, value) {
      if (value < 0n || value > max) throw new RangeError(`${value} is not 64 bits`)
      writer.fixed64(value)
    },
    read: (reader) => reader.fixed64(),
  }
}

export function flag(): Codec<boolean> {
  return {
    wireType: 0,
    proto: { type: 'bool', note: '' },
    absent: { value: false },
    isDefault: (value) => !value,
    write: (writer, value) => writer.byte(value ? 1 : 0),
    read: (reader) => reader.varint() === 1,
  }
}

/** One of a closed list of words, numbered from 1 in the list's order; 0 is never a value. */
export function choice<const Words extends readonly string[]>(words: Words): Codec<Words[number]> {
  const numbers = new Map(words.map((word, index) => [word, index + 1]))
  return {
    wireType: 0,
    proto: { type: 'uint32', note: words.map((word, index) => `${index + 1} ${word}`).join(', ') },
    absent: undefined,
    isDefault: never,
    write(writer, value) {
      const number = numbers.get(value)
      if (number === undefined) throw new TypeError(`unknown word ${value}`)
      writer.varint(number)
    },
    read(reader) {
      const number = reader.varint()
      const word = words[number - 1]
      if (word === undefined) {
        return reader.refuse({ kind: 'unknownChoice', field: reader.path(), actual: number })
      }
      return word
    },
  }
}

/** Exactly `length` bytes, held as lower-case hex: ids and digests. */
export function hex<T extends string>(length: number): Codec<T> {
  return {
    wireType: 2,
    proto: { type: 'bytes', note: `exactly ${length} bytes` },
    absent: undefined,
    isDefault: never,
    write(writer, value) {
      writer.varint(length)
      writer.hex(value, length)
    },
    read: (reader) => reader.hex(length) as T,
  }
}

/** Up to `limit` bytes; none is the same as absent. */
export function blob(limit: number): Codec<Uint8Array> {
  return {
    wireType: 2,
    proto: { type: 'bytes', note: `at most ${limit} bytes` },
    absent: {
      // A new one each time: a shared buffer that somebody transferred to a thread would be gone for everybody.
      get value() {
        return new Uint8Array(0)
      },
    },
    isDefault: (value) => value.length === 0,
    write(writer, value) {
      assertRange(value.length, 0, limit, 'length')
      writer.varint(value.length)
      writer.raw(value)
    },
    read: (reader) => reader.raw(reader.atMost(limit)),
  }
}

/** Printable ASCII: no other script, so that text is canonical, safe in a terminal and the same in every language. */
export function text<T extends string = string>(limit: number): Codec<T> {
  return {
    wireType: 2,
    proto: { type: 'string', note: `printable ASCII, at most ${limit} bytes` },
    absent: { value: '' as T },
    isDefault: (value) => value === '',
    write(writer, value) {
      assertRange(value.length, 0, limit, 'length')
      if (!/^[\x20-\x7e]*$/.test(value)) throw new TypeError('text is not printable ASCII')
      writer.varint(value.length)
      writer.ascii(value)
    },
    read: (reader) => reader.ascii(reader.atMost(limit)) as T,
  }
}

function isPoint(bytes: Uint8Array): bytes is PublicKey {
  return bytes.length === 65 && bytes[0] === 4
}

/** The form only; that the point lies on the curve is for whoever imports the key to say. */
export function publicKey(): Codec<PublicKey> {
  return {
    wireType: 2,
    proto: { type: 'bytes', note: 'P-256 point, 65 bytes uncompressed' },
    absent: undefined,
    isDefault: never,
    write(writer, value) {
      if (!isPoint(value)) throw new TypeError('not an uncompressed P-256 point')
      writer.varint(65)
      writer.raw(value)
    },
    read(reader) {
      const bytes = reader.exactBytes(65)
      if (!isPoint(bytes)) return reader.refuse({ kind: 'badPublicKey', field: reader.path() })
      return bytes
    },
  }
}

/** Low-s only: the other valid form of the same signature is refused, so a signature has one encoding. */
export function signature(): Codec<Signature> {
  return {
    wireType: 2,
    proto: { type: 'bytes', note: 'P-256 r then s, 64 bytes, low s' },
    absent: undefined,
    isDefault: never,
    write(writer, value) {
      if (!isSignature(value)) throw new TypeError('not a low-s ECDSA P-256 signature')
      writer.varint(64)
      writer.raw(value)
    },
    read(reader) {
      const bytes = reader.exactBytes(64)
      if (!isSignature(bytes)) return reader.refuse({ kind: 'badSignature', field: reader.path() })
      return bytes
    },
  }
}

/** A list in a list or an optional list has no encoding of its own. */
function assertSingle(inner: Codec<unknown>): void {
  if (inner.proto.label !== undefined) throw new TypeError(`a field cannot be ${inner.proto.label} twice`)
}

/** The value or nothing; nothing is left out of the encoding. */
export function optional<T>(inner: Codec<T>): Codec<T | undefined> {
  assertSingle(inner)
  return {
    wireType: inner.wireType,
    proto: { ...inner.proto, label: 'optional' },
    absent: { value: undefined },
    isDefault: (value) => value === undefined,
    write(writer, value) {
      if (value !== undefined) inner.write(writer, value)
    },
    read: (reader) => inner.read(reader),
  }
}

/** Up to `limit` values in order, each with its own tag. Elements are never packed. */
export function list<T>(inner: Codec<T>, limit: number): Codec<readonly T[]> {
  assertSingle(inner)
  return {
    wireType: inner.wireType,
    proto: {
      type: inner.proto.type,
      note: `at most ${limit}; ${inner.proto.note}`.replace(/; $/, ''),
      label: 'repeated',
    },
    absent: {
      get value() {
        return []
      },
    },
    isDefault: (value) => value.length === 0,
    write() {
      throw new TypeError('a list is written element by element')
    },
    read: (reader) => [inner.read(reader)],
    readNext(reader, list = []) {
      if (list.length >= limit) {
        reader.refuse({ kind: 'tooLong', field: reader.path(), limit, actual: list.length + 1 })
      }
      // Still the reader's own: nobody else has seen the list yet.
      ;(list as T[]).push(inner.read(reader))
      return list
    },
    writeAll(writer, tag, value) {
      assertRange(value.length, 0, limit, 'length')
      for (const element of value) {
        writer.varint(tag)
        inner.write(writer, element)
      }
    },
  }
}
