/**
 * Words in their least width, for bytes that travel: base = the smallest entry, width = the bits of the largest less the
 * base, entries one after the other with the lowest bit first, zeros to the end of the last byte. Every tensor has one
 * such form, so unpacking refuses all others: a digest over packed bytes then names one tensor.
 */
import { type Instance, layOut, requireWhole } from './instance.ts'

export interface PackedWords {
  readonly base: number
  /** 0 to 32; at 0 every entry is the base and there are no bytes. */
  readonly width: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

export interface PackedForm {
  readonly count: number
  readonly base: number
  readonly width: number
}

/**
 * `length`: not the bytes that count and width take; `padding`: a bit is set after the last entry; `range`: an entry is
 * past 32 bits; `base`: no entry is the base; `width`: fewer bits would do.
 */
export type UnpackRefusal = 'length' | 'padding' | 'range' | 'base' | 'width'

export type Unpacked =
  | { readonly ok: true; readonly values: Int32Array<ArrayBuffer> }
  | { readonly ok: false; readonly kind: UnpackRefusal }

/** A multiple of eight, so that a block of any width ends with a byte. */
const blockLength = 1 << 15
const i32Min = -(2 ** 31)
const i32Max = 2 ** 31 - 1
const countMax = 2 ** 31 - 1

export function packedBitsLength(count: number, width: number): number {
  return Math.ceil((count * width) / 8)
}

/** The bits of a whole number of 0 to 2^32 − 1. */
function bitLength(value: number): number {
  return 32 - Math.clz32(value)
}

export function createBits(instance: Instance) {
  const { run, bytes, words } = instance
  const at = layOut(instance, { range: 8, words: 4 * blockLength, packed: 4 * blockLength })
  const range = new Uint32Array(bytes.buffer, at.range, 2)

  function minMax(source: Int32Array): { min: number; max: number } {
    requireWhole('length', source.length, 1, countMax)
    instance.claim(at)
    range.set([i32Max, i32Min])
    for (let from = 0; from < source.length; from += blockLength) {
      const part = source.subarray(from, from + blockLength)
      words.set(part, at.words / 4)
      run.extend_range(at.words, part.length, at.range)
    }
    const [min = 0, max = 0] = words.subarray(at.range / 4)
    return { min, max }
  }

  function packBits(source: Int32Array): PackedWords {
    const { min: base, max } = minMax(source)
    const width = bitLength(max - base)
    const target = new Uint8Array(packedBitsLength(source.length, width))
    for (let from = 0; from < source.length && width > 0; from += blockLength) {
      const part = source.subarray(from, from + blockLength)
      words.set(part, at.words / 4)
      run.pack_bits(at.words, at.packed, part.length, base, width)
      const length = packedBitsLength(part.length, width)
      target.set(bytes.subarray(at.packed, at.packed + length), (from / 8) * width)
    }
    return { base, width, bytes: target }
  }

  function unpackBits(packed: Uint8Array, { count, base, width }: PackedForm): Unpacked {
    requireWhole('count', count, 1, countMax)
    requireWhole('base', base, i32Min, i32Max)
    requireWhole('width', width, 0, 32)
    // Before anything is reserved for so many entries.
    if (packed.length !== packedBitsLength(count, width)) return { ok: false, kind: 'length' }
    const values = new Int32Array(count)
    if (width === 0) return { ok: true, values: values.fill(base) }
    const lastBits = (count * width) % 8
    if (lastBits !== 0 && (packed[packed.length - 1] ?? 0) >> lastBits !== 0) {
      return { ok: false, kind: 'padding' }
    }
    instance.claim(at)
    range.set([2 ** 32 - 1, 0])
    for (let from = 0; from < count; from += blockLength) {
      const length = Math.min(blockLength, count - from)
      const start = (from / 8) * width
      bytes.set(packed.subarray(start, start + packedBitsLength(length, width)), at.packed)
      run.unpack_bits(at.packed, at.words, length, base, width, at.range)
      values.set(words.subarray(at.words / 4, at.words / 4 + length), from)
    }
    const [least = 0, most = 0] = range
    if (base + most > i32Max) return { ok: false, kind: 'range' }
    if (least !== 0) return { ok: false, kind: 'base' }
    if (bitLength(most) !== width) return { ok: false, kind: 'width' }
    return { ok: true, values }
  }

  return { minMax, packBits, unpackBits, packedBitsLength }
}
