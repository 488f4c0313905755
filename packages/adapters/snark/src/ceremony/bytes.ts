/** Reads a byte string front to back, and never past its end. */
export class EndOfBytesError extends Error {
  override readonly name = 'EndOfBytesError'
}

export class ByteReader {
  readonly #bytes: Uint8Array
  #offset = 0
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  get left(): number {
    return this.#bytes.length - this.#offset
  }
  take(length: number): Uint8Array {
    if (length > this.left)
      throw new EndOfBytesError(`${length} bytes are due at ${this.#offset}, ${this.left} are left`)
    this.#offset += length
    return this.#bytes.subarray(this.#offset - length, this.#offset)
  }
  u8(): number {
    return this.#view(1).getUint8(0)
  }
  u32(): number {
    return this.#view(4).getUint32(0, true)
  }
  u64(): bigint {
    return this.#view(8).getBigUint64(0, true)
  }
  #view(length: number): DataView {
    const { buffer, byteOffset } = this.take(length)
    return new DataView(buffer, byteOffset, length)
  }
}

export function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex') || '0'}`)
}
