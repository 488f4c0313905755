import { expect, test } from 'bun:test'
import { canonicalFloats } from './floats.ts'

test('every NaN has one pattern, everything else keeps its own', () => {
  const kept = [0, 0x8000_0000, 1, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x3f80_0000]
  const changed = [0x7f80_0001, 0x7fff_ffff, 0xff80_0001, 0xffc0_0000, 0xffff_ffff]
  const bytes = new Uint8Array(Uint32Array.from([...kept, ...changed]).buffer)
  const canonical = new Uint32Array(canonicalFloats(bytes).buffer)
  expect([...canonical]).toEqual([...kept, ...changed.map(() => 0x7fc0_0000)])
  expect(new Uint32Array(bytes.buffer).at(-1)).toBe(0xffff_ffff)
})

test('bytes that are not whole floats are a bug of the caller', () => {
  expect(() => canonicalFloats(new Uint8Array(6))).toThrow('6 bytes are not whole f32 values')
})
