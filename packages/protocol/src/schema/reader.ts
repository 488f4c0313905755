/**
 * Protobuf primitives out of a bounded buffer. Anything wrong throws a `Refused`, which never leaves this folder:
 * `message.decode` turns it into a returned refusal. The reader is lenient about encoding (order, padding,
 * spelled-out defaults); the decoder's re-encode-and-compare refuses whatever is not the one accepted form.
 */
import { encodeHexFrom } from './hex.ts'
import type { Refusal } from './refusal.ts'

/** A plain object rather than an Error: hostile frames must not cost a stack trace each. */
export class Refused {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    this.refusal = refusal
  }
}

/** A view per frame would cost more than copying eight bytes. */
const eight = new Uint8Array(8)
const eightView = new DataView(eight.buffer)

const copyBytes = Uint8Array.prototype.slice

export class Reader {
  readonly bytes: Uint8Array
  position: number
  end: number
  /** Where we are, for refusals: the names of the enclosing messages and the field being read. */
  readonly trail: string[]
  field = ''
  /** Bytes are views of the frame: for a reader that has the frame to itself, and does not keep the bytes for long. */
  views = false

  constructor(bytes: Uint8Array, name: string) {
    this.bytes = bytes
    this.position = 0
    this.end = bytes.length
    this.trail = [name]
  }

  path(): string {
    return this.field === '' ? this.trail.join('.') : `${this.trail.join('.')}.${this.field}`
  }

  refuse(refusal: Refusal): never {
    throw new Refused(refusal)
  }

  private truncated(): never {
    return this.refuse({ kind: 'truncated', field: this.path() })
  }

  /** At most 2^53 − 1; larger is out of range. */
  varint(): number {
    if (this.position >= this.end) this.truncated()
    let byte = this.bytes[this.position++] ?? 0
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    for (let shift = 7; shift < 28; shift += 7) {
      if (this.position >= this.end) this.truncated()
      byte = this.bytes[this.position++] ?? 0
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    let scale = 0x1000_0000
    for (let count = 4; count < 10; count++) {
      if (this.position >= this.end) this.truncated()
      byte = this.bytes[this.position++] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) this.tooLarge()
        return value
      }
      scale *= 0x80
    }
    return this.tooLarge()
  }

  private tooLarge(): never {
    return this.refuse({
      kind: 'outOfRange',
      field: this.path(),
      min: '0',
      max: String(Number.MAX_SAFE_INTEGER),
      actual: 'a varint over 53 bits',
    })
  }

  varint64(): bigint {
    let value = 0n
    let shift = 0n
    for (let count = 0; count < 10; count++) {
      if (this.position >= this.end) this.truncated()
      const byte = this.bytes[this.position++] ?? 0
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
      shift += 7n
    }
    return this.refuse({
      kind: 'outOfRange',
      field: this.path(),
      min: '0',
      max: '2^64 - 1',
      actual: 'a varint over 10 bytes',
    })
  }

  fixed64(): bigint {
    const start = this.take(8)
    for (let index = 0; index < 8; index++) eight[index] = this.bytes[start + index] ?? 0
    return eightView.getBigUint64(0, true)
  }

  /** Moves past `length` bytes and returns where they began. */
  take(length: number): number {
    const start = this.position
    if (length > this.end - start) this.truncated()
    this.position = start + length
    return start
  }

  /** A length prefix that must be exactly `length`; returns where the bytes begin. */
  exactly(length: number): number {
    const actual = this.varint()
    if (actual !== length) this.refuse({ kind: 'wrongLength', field: this.path(), expected: length, actual })
    return this.take(length)
  }

  /** A length prefix of at most `limit`. */
  atMost(limit: number): number {
    const actual = this.varint()
    if (actual > limit) this.refuse({ kind: 'tooLong', field: this.path(), limit, actual })
    return actual
  }

  /** A length prefix of exactly `length`, then the bytes. */
  exactBytes(length: number): Uint8Array {
    const start = this.exactly(length)
    return copyBytes.call(this.bytes, start, start + length)
  }

  hex(length: number): string {
    const start = this.exactly(length)
    return encodeHexFrom(this.bytes, start, length)
  }

  /** A copy unless asked otherwise, because the transport may reuse the frame's buffer. Node's `Buffer` has a `slice` that does not copy. */
  raw(length: number): Uint8Array {
    const start = this.take(length)
    if (this.views) return this.bytes.subarray(start, start + length)
    return copyBytes.call(this.bytes, start, start + length)
  }

  ascii(length: number): string {
    const start = this.take(length)
    let text = ''
    for (let index = start; index < start + length; index++) {
      const code = this.bytes[index] ?? 0
      if (code < 0x20 || code > 0x7e) this.refuse({ kind: 'badText', field: this.path() })
      text += String.fromCharCode(code)
    }
    return text
  }

  get done(): boolean {
    return this.position >= this.end
  }
}
