import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  byteLengthOf,
  createEntries,
  dtypeFacts,
  dtypes,
  entryAt,
  mapEntries,
  sizeOf,
  tensorBytes,
  tensorFromBytes,
} from './tensor.ts'

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

const examples = [
  { dtype: 'i8', entries: [-128, -1, 127], hex: '80ff7f' },
  { dtype: 'u8', entries: [0, 128, 255], hex: '0080ff' },
  { dtype: 'i32', entries: [-2, 2 ** 31 - 1, 256], hex: 'feffffffffffff7f00010000' },
  { dtype: 'u32', entries: [1, 2 ** 32 - 1, 2 ** 31], hex: '01000000ffffffff00000080' },
] as const

describe('bytes are little-endian, without padding', () => {
  for (const { dtype, entries, hex } of examples) {
    test(dtype, () => {
      const type = { dtype, shape: [3] }
      const tensor = tensorFromBytes(type, bytesOf(hex))
      expect(Array.from(tensor.data)).toEqual([...entries])
      expect(hexOf(tensorBytes(tensor))).toBe(hex)
      expect(byteLengthOf(type)).toBe(hex.length / 2)
    })
  }

  test('wherever they lie in a larger buffer, one of Node’s included', () => {
    for (const offset of [0, 1, 2, 3, 4]) {
      for (const room of [new Uint8Array(32), Buffer.alloc(32)]) {
        const bytes = room.subarray(offset, offset + 12)
        bytes.set(bytesOf('feffffffffffff7f00010000'))
        const { data } = tensorFromBytes({ dtype: 'i32', shape: [3, 1] }, bytes)
        expect(Array.from(data)).toEqual([-2, 2 ** 31 - 1, 256])
        expect(hexOf(tensorBytes({ data }))).toBe('feffffffffffff7f00010000')
      }
    }
  })

  test('of part of an array are that part’s', () => {
    expect(hexOf(tensorBytes({ data: Int32Array.of(1, 2, 3).subarray(1, 2) }))).toBe('02000000')
  })

  test('come back as they were', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...dtypes),
        fc.uint8Array({ minLength: 4, maxLength: 64 }),
        (dtype, drawn) => {
          const bytes = drawn.subarray(0, drawn.length - (drawn.length % 4))
          const shape = [bytes.length / dtypeFacts[dtype].bytes]
          expect(hexOf(tensorBytes(tensorFromBytes({ dtype, shape }, bytes)))).toBe(hexOf(bytes))
        },
      ),
    )
  })

  test('of another length are a bug of the caller', () => {
    expect(() => tensorFromBytes({ dtype: 'i32', shape: [2] }, new Uint8Array(7))).toThrow(
      '7 bytes are not 2 entries of i32',
    )
  })
})

test('a kind of integer holds what its facts say, and wraps beyond', () => {
  for (const dtype of dtypes) {
    const { min, max, bytes } = dtypeFacts[dtype]
    const entries = createEntries(dtype, 2)
    expect(entries.BYTES_PER_ELEMENT).toBe(bytes)
    entries.set([min - 1, max + 1])
    expect(Array.from(entries)).toEqual([max, min])
  }
})

test('a shape has the product of its sizes', () => {
  expect(sizeOf([2, 3, 4])).toBe(24)
  expect(sizeOf([])).toBe(1)
  expect(sizeOf(Array(6).fill(2 ** 31 - 1))).toBeGreaterThan(2 ** 53)
})

test('reading beside a tensor is a bug', () => {
  expect(entryAt(Int8Array.of(5, 6), 1)).toBe(6)
  for (const index of [-1, 2, 0.5, Number.NaN])
    expect(() => entryAt(Int8Array.of(5, 6), index)).toThrow('no entry')
})

test('entries become another kind one by one', () => {
  const data = mapEntries(Int8Array.of(-1, 2), 'i32', (entry, index) => 1_000 * entry + index)
  expect(data).toEqual(Int32Array.of(-1_000, 2_001))
})
