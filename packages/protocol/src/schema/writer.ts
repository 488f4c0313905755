/**
 * Protobuf primitives into one growing buffer. A value that a schema does not allow is a bug of the caller here
 * (untrusted values are refused by decoders), so the writer asserts instead of refusing.
 */
import { decodeHexInto } from './hex.ts'

/** Every frame fits, and a common receipt. */
const keptBytesMax = 2 * 1024 * 1024

export class Writer {
  bytes = new Uint8Array(1024)
  private view = new DataView(this.bytes.buffer)
  length = 0

  /** Begins anew. A buffer that one large value grew is not kept for ever. */
  reset(): void {
    this.length = 0
    if (this.bytes.length > keptBytesMax) this.replace(new Uint8Array(keptBytesMax))
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }

  private reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes)
    this.replace(grown)
  }

  private replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  /** A whole number from 0 to 2^53 − 1 in as few bytes as it needs. */
  varint(value: number): void {
    this.reserve(8)
    if (value < 0x80) {
      this.bytes[this.length++] = value
      return
    }
    let rest = value
    if (rest > 0x7fff_ffff) {
      rest = Math.floor(value / 0x1000_0000)
      const low = value - rest * 0x1000_0000
      this.bytes[this.length++] = low | 0x80
      this.bytes[this.length++] = (low >>> 7) | 0x80
      this.bytes[this.length++] = (low >>> 14) | 0x80
      this.bytes[this.length++] = (low >>> 21) | 0x80
    }
    let small = rest | 0
    while (small >= 0x80) {
      this.bytes[this.length++] = small | 0x80
      small >>>= 7
    }
    this.bytes[this.length++] = small
  }

  varint64(value: bigint): void {
    if (value <= 0x1f_ffff_ffff_ffffn) {
      this.varint(Number(value))
      return
    }
    this.reserve(10)
    let rest = value
    while (rest >= 0x80n) {
      this.bytes[this.length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.bytes[this.length++] = Number(rest)
  }

  fixed64(value: bigint): void {
    this.reserve(8)
    this.view.setBigUint64(this.length, value, true)
    this.length += 8
  }

  raw(value: Uint8Array): void {
    this.reserve(value.length)
    this.bytes.set(value, this.length)
    this.length += value.length
  }

  /** Lower-case hex of exactly `length` bytes. */
  hex(text: string, length: number): void {
    this.reserve(length)
    if (!decodeHexInto(text, this.bytes, this.length, length)) {
      throw new TypeError(`not ${length} bytes of lower-case hex: ${text}`)
    }
    this.length += length
  }

  ascii(text: string): void {
    this.reserve(text.length)
    for (let index = 0; index < text.length; index++) this.bytes[this.length++] = text.charCodeAt(index)
  }

  /** Begins a nested value, whose length will stand before it; answers what `endNested` needs. */
  beginNested(): number {
    this.reserve(1)
    this.length += 1
    return this.length
  }

  /** Writes the length of what came since; that is moved when its length needs more than the one byte kept for it. */
  endNested(start: number): void {
    const length = this.length - start
    if (length < 0x80) {
      this.bytes[start - 1] = length
      return
    }
    let prefix = 2
    for (let rest = length >>> 14; rest > 0; rest >>>= 7) prefix++
    this.reserve(prefix)
    this.bytes.copyWithin(start - 1 + prefix, start, start + length)
    this.length = start - 1
    this.varint(length)
    this.length += length
  }
}
