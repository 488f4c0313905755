/**
 * Words in their least width (spec C7): base is the smallest entry, width the bits of the largest less the base, entries
 * one after the other with the lowest bit first, zeros to the end of the last byte. Every tensor has one such form, and
 * unpacking refuses all others. This is the definition; hosts bring a fast twin.
 */
export interface PackedWords {
  readonly base: number
  /** 0 to 32; at 0 every entry is the base and there are no bytes. */
  readonly width: number
  readonly bytes: Uint8Array
}

export interface PackedForm {
  readonly count: number
  readonly base: number
  readonly width: number
}

/**
 * `length`: not the bytes that count and width take; `padding`: a bit is set after the last entry; `range`: an entry is
 * past 32 bits; `base`: no entry is the base; `width`: fewer bits would do. The first that applies is named.
 */
export type UnpackRefusal = 'length' | 'padding' | 'range' | 'base' | 'width'

export type Unpacked =
  | { readonly ok: true; readonly values: Int32Array }
  | { readonly ok: false; readonly kind: UnpackRefusal }

export interface Bits {
  packBits(source: Int32Array): PackedWords
  unpackBits(bytes: Uint8Array, form: PackedForm): Unpacked
}

export function packedBitsLength(count: number, width: number): number {
  return Math.ceil((count * width) / 8)
}

function bitLength(value: number): number {
  return 32 - Math.clz32(value)
}

function packBits(source: Int32Array): PackedWords {
  if (source.length === 0) throw new RangeError('a tensor has an entry at least')
  const base = source.reduce((least, entry) => Math.min(least, entry))
  const width = bitLength(source.reduce((most, entry) => Math.max(most, entry)) - base)
  const bytes = new Uint8Array(packedBitsLength(source.length, width))
  let bit = 0
  for (const entry of source) {
    for (let rest = entry - base, left = width; left > 0; ) {
      const taken = Math.min(left, 8 - (bit % 8))
      const at = Math.floor(bit / 8)
      bytes[at] = (bytes[at] ?? 0) | ((rest % 2 ** taken) << (bit % 8))
      rest = Math.floor(rest / 2 ** taken)
      bit += taken
      left -= taken
    }
  }
  return { base, width, bytes }
}

function unpackBits(bytes: Uint8Array, { count, base, width }: PackedForm): Unpacked {
  // Before anything is reserved for so many entries.
  if (bytes.length !== packedBitsLength(count, width)) return { ok: false, kind: 'length' }
  const lastBits = (count * width) % 8
  if (lastBits !== 0 && (bytes[bytes.length - 1] ?? 0) >> lastBits !== 0)
    return { ok: false, kind: 'padding' }
  const values = new Int32Array(count)
  let [least, most, bit] = [2 ** 32, 0, 0]
  for (let index = 0; index < count; index++) {
    let above = 0
    for (let place = 1, left = width; left > 0; ) {
      const taken = Math.min(left, 8 - (bit % 8))
      above += (((bytes[Math.floor(bit / 8)] ?? 0) >> (bit % 8)) % 2 ** taken) * place
      place *= 2 ** taken
      bit += taken
      left -= taken
    }
    least = Math.min(least, above)
    most = Math.max(most, above)
    values[index] = base + above
  }
  if (base + most > 2 ** 31 - 1) return { ok: false, kind: 'range' }
  if (least !== 0) return { ok: false, kind: 'base' }
  if (bitLength(most) !== width) return { ok: false, kind: 'width' }
  return { ok: true, values }
}

export const pureBits: Bits = { packBits, unpackBits }
