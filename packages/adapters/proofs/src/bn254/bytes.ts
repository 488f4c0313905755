/** Field elements as 32 bytes, big end first, canonical: what is not below its modulus is refused, never reduced. */

export const elementLength = 32

export function bytesOfElement(value: bigint): Uint8Array {
  const bytes = new Uint8Array(elementLength)
  writeElement(bytes, 0, value)
  return bytes
}

/** The value must be below 2^256. */
export function writeElement(target: Uint8Array, at: number, value: bigint): void {
  const view = new DataView(target.buffer, target.byteOffset + at, elementLength)
  view.setBigUint64(0, value >> 192n)
  view.setBigUint64(8, value >> 128n)
  view.setBigUint64(16, value >> 64n)
  view.setBigUint64(24, value)
}

export function readElement(source: Uint8Array, at: number): bigint {
  const view = new DataView(source.buffer, source.byteOffset + at, elementLength)
  return (
    (view.getBigUint64(0) << 192n) |
    (view.getBigUint64(8) << 128n) |
    (view.getBigUint64(16) << 64n) |
    view.getBigUint64(24)
  )
}

/** Whether the element at `at` is below a bound that is written the same way. */
export function isBelow(source: Uint8Array, at: number, bound: Uint8Array): boolean {
  for (let index = 0; index < elementLength; index++) {
    const [one, other] = [source[at + index] as number, bound[index] as number]
    if (one !== other) return one < other
  }
  return false
}

export function isZero(source: Uint8Array, at: number, length: number): boolean {
  for (let index = at; index < at + length; index++) if (source[index] !== 0) return false
  return true
}
