import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { canonicalFloats, findOtherNaN } from './floats.ts'

test('every NaN has one pattern, everything else keeps its own', () => {
  const kept = [0, 0x8000_0000, 1, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x3f80_0000]
  const changed = [0x7f80_0001, 0x7fff_ffff, 0xff80_0001, 0xffc0_0000, 0xffff_ffff]
  const bytes = new Uint8Array(Uint32Array.from([...kept, ...changed]).buffer)
  const canonical = new Uint32Array(canonicalFloats(bytes).buffer)
  expect([...canonical]).toEqual([...kept, ...changed.map(() => 0x7fc0_0000)])
  expect(new Uint32Array(bytes.buffer).at(-1)).toBe(0xffff_ffff)
})

test('the first NaN of another form is found wherever it lies, and nothing in what is canonical', () => {
  const word = fc.oneof(
    fc.constantFrom(0x7fc0_0000, 0x7fc0_0001, 0xffc0_0000, 0x7f80_0001, 0x7f80_0000, 0x8000_0000, 1),
    fc.integer({ min: 0, max: 0xffff_ffff }),
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), fc.nat(7), (words, shift) => {
      const bytes = new Uint8Array(shift + 4 * words.length).subarray(shift)
      bytes.set(new Uint8Array(Uint32Array.from(words).buffer))
      const canonical = canonicalFloats(bytes)
      const first = words.findIndex((_, index) => {
        const at = [4 * index, 4 * index + 4] as const
        return Buffer.compare(bytes.subarray(...at), canonical.subarray(...at)) !== 0
      })
      expect(findOtherNaN(bytes)).toBe(first < 0 ? undefined : 4 * first)
      expect(findOtherNaN(canonical)).toBeUndefined()
    }),
  )
})

test('subnormal numbers and both zeros stay', () => {
  const bytes = new Uint8Array(
    Uint32Array.from([0, 0x8000_0000, 1, 0x807f_ffff, 0x0080_0000, 0xff7f_ffff]).buffer,
  )
  expect(canonicalFloats(bytes)).toEqual(bytes)
})

test('bytes that are not whole floats are a bug of the caller', () => {
  expect(() => canonicalFloats(new Uint8Array(6))).toThrow('6 bytes are not whole f32 values')
  expect(() => findOtherNaN(new Uint8Array(6))).toThrow('6 bytes are not whole f32 values')
})
