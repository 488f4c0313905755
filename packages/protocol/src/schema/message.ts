/**
 * A message: named, numbered fields with one encoding. The definition gives the TypeScript type, the encoder, the
 * decoder with its limits, and the `.proto` file for other languages. Canonical form (spec W2): fields in ascending
 * order, defaults left out, shortest varints; a decoder re-encodes what it read and refuses bytes that differ.
 */
import type { Codec } from './codec.ts'
import { Reader, Refused } from './reader.ts'
import type { Decoded, Refusal } from './refusal.ts'
import { Writer } from './writer.ts'

export interface Field<T> {
  readonly number: number
  readonly codec: Codec<T>
}

export function field<T>(number: number, codec: Codec<T>): Field<T> {
  return { number, codec }
}

type Fields = Readonly<Record<string, Field<unknown>>>
type Shape<F> = { readonly [Name in keyof F]: F[Name] extends Field<infer T> ? T : never }

export interface Message<T> {
  readonly name: string
  readonly fields: readonly (Field<unknown> & { readonly name: string })[]
  encode(value: T): Uint8Array
  decode(bytes: Uint8Array): Decoded<T>
  /** Decodes from `offset` on and answers under `name` (frames put a type byte first). */
  decodeAt(bytes: Uint8Array, offset: number, views?: boolean): Decoded<T>
  writeTo(writer: Writer, value: T): void
  readFrom(reader: Reader): T
  /** The message as a value of another message's field. */
  readonly codec: Codec<T>
}

/** The value type of a message. */
export type Infer<M> = M extends Message<infer T> ? T : never

/** Tags up to here take two bytes, and a lookup by tag stays a short array. */
const fieldNumberMax = 2047

/** Encoding is synchronous and never calls out, so one scratch buffer serves everything. */
const scratch = new Writer()

export function message<const F extends Fields>(
  name: string,
  fields: F,
  /** A rule over several fields; gives the offending field and the rule in words. */
  check?: (value: Shape<F>) => { readonly field: string; readonly rule: string } | undefined,
): Message<Shape<F>> {
  type Value = Shape<F>
  const ordered = Object.entries(fields).map(([fieldName, { number, codec }]) => ({
    name: fieldName,
    number,
    codec,
    tag: number * 8 + codec.wireType,
    bit: 0,
  }))
  const byTag: ((typeof ordered)[number] | undefined)[] = []
  ordered.forEach((entry, index) => {
    if (entry.number <= (ordered[index - 1]?.number ?? 0)) {
      throw new Error(`${name}: field numbers must ascend from 1`)
    }
    if (!Number.isInteger(entry.number) || entry.number > fieldNumberMax) {
      throw new Error(`${name}: field numbers are whole and at most ${fieldNumberMax}`)
    }
    if (index > 30) throw new Error(`${name}: at most 31 fields`)
    entry.bit = 1 << index
    byTag[entry.tag] = entry
  })
  const allBits = ordered.reduce((bits, entry) => bits | entry.bit, 0)
  const blank: Readonly<Record<string, unknown>> = Object.fromEntries(
    ordered.map((entry) => [entry.name, undefined]),
  )

  function unknownTag(reader: Reader, tag: number): never {
    const number = Math.floor(tag / 8)
    const entry = ordered.find((candidate) => candidate.number === number)
    if (entry === undefined) return reader.refuse({ kind: 'unknownField', field: reader.path(), number })
    reader.field = entry.name
    return reader.refuse({
      kind: 'wrongWireType',
      field: reader.path(),
      expected: entry.codec.wireType,
      actual: tag % 8,
    })
  }

  function writeTo(writer: Writer, value: Value): void {
    const broken = check?.(value)
    if (broken !== undefined) throw new TypeError(`${name}.${broken.field}: ${broken.rule}`)
    const record = value as Readonly<Record<string, unknown>>
    for (let index = 0; index < ordered.length; index++) {
      const entry = ordered[index]
      if (entry === undefined) break
      const content = record[entry.name]
      if (entry.codec.isDefault(content)) continue
      if (entry.codec.writeAll !== undefined) {
        entry.codec.writeAll(writer, entry.tag, content)
      } else {
        writer.varint(entry.tag)
        entry.codec.write(writer, content)
      }
    }
  }

  function readFrom(reader: Reader): Value {
    const value: Record<string, unknown> = { ...blank }
    let seen = 0
    while (!reader.done) {
      reader.field = ''
      const tag = reader.varint()
      const entry = byTag[tag] ?? unknownTag(reader, tag)
      reader.field = entry.name
      value[entry.name] =
        entry.codec.readNext === undefined
          ? entry.codec.read(reader)
          : entry.codec.readNext(reader, value[entry.name])
      seen |= entry.bit
    }
    for (let index = 0; seen !== allBits && index < ordered.length; index++) {
      const entry = ordered[index]
      if (entry === undefined || (seen & entry.bit) !== 0) continue
      reader.field = entry.name
      if (entry.codec.absent === undefined) reader.refuse({ kind: 'missing', field: reader.path() })
      else value[entry.name] = entry.codec.absent.value
    }
    const broken = check?.(value as Value)
    if (broken !== undefined) {
      reader.field = broken.field
      reader.refuse({ kind: 'inconsistent', field: reader.path(), rule: broken.rule })
    }
    return value as Value
  }

  function decodeAt(bytes: Uint8Array, offset: number, views = false): Decoded<Value> {
    const reader = new Reader(bytes, name)
    reader.views = views
    reader.position = offset
    try {
      const value = readFrom(reader)
      scratch.reset()
      // What stands before goes along, so that words of both begin at the same place.
      for (let index = 0; index < offset; index++) scratch.byte(bytes[index] ?? 0)
      writeTo(scratch, value)
      if (!sameBytes(scratch, bytes)) {
        return { ok: false, refusal: { kind: 'nonCanonical', field: name } satisfies Refusal }
      }
      return { ok: true, value }
    } catch (thrown) {
      if (thrown instanceof Refused) return { ok: false, refusal: thrown.refusal }
      throw thrown
    }
  }

  const codec: Codec<Value> = {
    wireType: 2,
    proto: { type: name, note: '' },
    absent: undefined,
    isDefault: () => false,
    write(writer, value) {
      const start = writer.beginNested()
      writeTo(writer, value)
      writer.endNested(start)
    },
    read(reader) {
      const { end, field: outer } = reader
      const length = reader.varint()
      const start = reader.take(length)
      reader.position = start
      reader.end = start + length
      reader.trail.push(outer)
      const value = readFrom(reader)
      reader.trail.pop()
      reader.end = end
      reader.field = outer
      return value
    },
  }

  return {
    name,
    fields: ordered,
    encode(value) {
      scratch.reset()
      writeTo(scratch, value)
      return scratch.finish()
    },
    decode: (bytes) => decodeAt(bytes, 0),
    decodeAt,
    writeTo,
    readFrom,
    codec,
  }
}

/** From here on four bytes are compared at a time; below, a view costs more than it saves. */
const comparedByWordsFrom = 1024

function sameBytes(writer: Writer, bytes: Uint8Array): boolean {
  const { length } = bytes
  if (writer.length !== length) return false
  const written = writer.bytes
  let index = 0
  if (length >= comparedByWordsFrom && bytes.byteOffset % 4 === 0) {
    const words = length >> 2
    const one = new Int32Array(written.buffer, 0, words)
    const other = new Int32Array(bytes.buffer, bytes.byteOffset, words)
    for (; index < words; index++) if (one[index] !== other[index]) return false
    index *= 4
  }
  for (; index < length; index++) if (written[index] !== bytes[index]) return false
  return true
}

/** Encodes behind a leading byte, in one buffer. */
export function encodeBehind<T>(leading: number, definition: Message<T>, value: T): Uint8Array {
  scratch.reset()
  scratch.byte(leading)
  definition.writeTo(scratch, value)
  return scratch.finish()
}
