/**
 * A part of the transcript (spec C7): the sums of one node as bytes. Four of base (signed, lowest first), one of width,
 * then the packed bits. The number of entries is the program's to know, so nothing says it here.
 */
import { type Bits, packedBitsLength, type Unpacked } from './bits.ts'

export const partHeaderBytes = 5
const widthMax = 32

export function encodePart(sums: Int32Array, bits: Bits): Uint8Array {
  const { base, width, bytes } = bits.packBits(sums)
  const part = new Uint8Array(partHeaderBytes + bytes.length)
  new DataView(part.buffer).setInt32(0, base, true)
  part[4] = width
  part.set(bytes, partHeaderBytes)
  return part
}

export function decodePart(part: Uint8Array, count: number, bits: Bits): Unpacked {
  if (part.length < partHeaderBytes) return { ok: false, kind: 'length' }
  const base = new DataView(part.buffer, part.byteOffset).getInt32(0, true)
  const width = part[4] ?? 0
  if (width > widthMax) return { ok: false, kind: 'width' }
  const unpacked = bits.unpackBits(part.subarray(partHeaderBytes), { count, base, width })
  return unpacked
}

/** The most bytes that a part of so many entries can have. */
export function partBytesMax(count: number): number {
  return partHeaderBytes + packedBitsLength(count, widthMax)
}
