/**
 * One form for the bytes of floats (spec H34), before they are hashed: a NaN has many patterns and means one thing. This
 * makes digests comparable, not equal: results of floats agree by luck of the same hardware and are never called exact.
 */

const quietNaN = 0x7fc0_0000

/** Little-endian f32 values; every NaN becomes 0x7fc00000, everything else stays, negative zero included. */
export function canonicalFloats(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 !== 0) throw new RangeError(`${bytes.length} bytes are not whole f32 values`)
  const canonical = bytes.slice()
  const view = new DataView(canonical.buffer)
  for (let offset = 0; offset < canonical.length; offset += 4) {
    if (isNaN32(view.getUint32(offset, true))) view.setUint32(offset, quietNaN, true)
  }
  return canonical
}

/** Where the first NaN of another pattern lies; undefined when the bytes are in the one form. */
export function findOtherNaN(bytes: Uint8Array): number | undefined {
  if (bytes.length % 4 !== 0) throw new RangeError(`${bytes.length} bytes are not whole f32 values`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let offset = 0; offset < bytes.length; offset += 4) {
    const word = view.getUint32(offset, true)
    if (isNaN32(word) && word !== quietNaN) return offset
  }
  return undefined
}

function isNaN32(word: number): boolean {
  return (word & 0x7fff_ffff) > 0x7f80_0000
}
