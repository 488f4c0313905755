import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { packedBitsLength, pureBits } from './bits.ts'

const { packBits, unpackBits } = pureBits

test.each([
  [[7], { base: 7, width: 0, bytes: [] }],
  [[0, 1], { base: 0, width: 1, bytes: [0b10] }],
  [[-3, 0, -1], { base: -3, width: 2, bytes: [0b10_11_00] }],
  [[-300, 0], { base: -300, width: 9, bytes: [0, 0x58, 0x02] }],
  [[-(2 ** 31), 2 ** 31 - 1], { base: -(2 ** 31), width: 32, bytes: [0, 0, 0, 0, 255, 255, 255, 255] }],
])('%j packs to its least width, lowest bit first (spec C7)', (entries, { base, width, bytes }) => {
  const packed = packBits(Int32Array.from(entries))
  expect({ ...packed, bytes: [...packed.bytes] }).toEqual({ base, width, bytes })
})

test('what was packed comes back', () => {
  const entries = fc.oneof(fc.integer(), fc.integer({ min: -9, max: 9 }))
  fc.assert(
    fc.property(fc.array(entries, { minLength: 1, maxLength: 40 }), (list) => {
      const values = Int32Array.from(list)
      const { base, width, bytes } = packBits(values)
      expect(unpackBits(bytes, { count: values.length, base, width })).toEqual({ ok: true, values })
    }),
  )
})

test.each([
  ['length', [0b10], { count: 9, base: 0, width: 1 }],
  ['length', [0b10, 0], { count: 2, base: 0, width: 1 }],
  ['length', [0], { count: 2, base: 0, width: 0 }],
  ['padding', [0b110], { count: 2, base: 0, width: 1 }],
  ['range', [0b10], { count: 2, base: 2 ** 31 - 1, width: 1 }],
  ['base', [0b11], { count: 2, base: 0, width: 1 }],
  ['width', [0b0100], { count: 2, base: 0, width: 2 }],
  ['width', [0], { count: 2, base: 0, width: 1 }],
] as const)('another form is refused: %s', (kind, bytes, form) => {
  expect(unpackBits(Uint8Array.from(bytes), form)).toEqual({ ok: false, kind })
})

test('a tensor has one form: any bytes that unpack are the bytes that pack', () => {
  const form = fc.record({
    count: fc.integer({ min: 1, max: 6 }),
    base: fc.integer({ min: -4, max: 4 }),
    width: fc.integer({ min: 0, max: 4 }),
  })
  fc.assert(
    fc.property(form, fc.uint8Array({ maxLength: 3 }), ({ count, base, width }, more) => {
      const bytes = more.slice(0, packedBitsLength(count, width))
      const unpacked = unpackBits(bytes, { count, base, width })
      if (unpacked.ok) expect(packBits(unpacked.values)).toEqual({ base, width, bytes })
    }),
    { numRuns: 2_000 },
  )
})
