import { expect, test } from 'bun:test'
import { pureBits } from './bits.ts'
import { decodePart, encodePart, partBytesMax } from './part.ts'

test('base, width and bits, wherever the bytes lie', () => {
  const part = encodePart(Int32Array.of(-2, 1), pureBits)
  expect([...part]).toEqual([254, 255, 255, 255, 2, 0b1100])
  const shifted = new Uint8Array([9, ...part]).subarray(1)
  expect(decodePart(shifted, 2, pureBits)).toEqual({ ok: true, values: Int32Array.of(-2, 1) })
})

test.each([
  ['length', [0, 0, 0, 0]],
  ['length', []],
  ['length', [0, 0, 0, 0, 1, 0b10, 0]],
  ['width', [0, 0, 0, 0, 33, 1, 0, 0, 0, 0, 0, 0, 0, 0]],
  ['width', [0, 0, 0, 0, 255]],
] as const)('a part is refused for its %s', (kind, bytes) => {
  expect(decodePart(Uint8Array.from(bytes), 2, pureBits)).toEqual({ ok: false, kind })
})

test('no part is longer than the bound says', () => {
  const sums = Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0)
  expect(encodePart(sums, pureBits).length).toBe(partBytesMax(3))
})
