import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KernelError } from './instance.ts'
import { openKernels } from './kernels.ts'

const opened = await openKernels()
if (!opened.ok) throw new Error(opened.refusal.message)
const { minMax, packBits, packedBitsLength, unpackBits } = opened.kernels.elements

/** The definition: one long number, the first entry lowest. */
function expected(source: Int32Array): { base: number; width: number; bytes: number[] } {
  const [base, most] = [Math.min(...source), Math.max(...source)]
  const width = most === base ? 0 : (most - base).toString(2).length
  let number = 0n
  source.forEach((entry, index) => {
    number |= BigInt(entry - base) << BigInt(index * width)
  })
  const bytes = Array.from({ length: Math.ceil((source.length * width) / 8) }, (_, index) =>
    Number((number >> BigInt(8 * index)) & 255n),
  )
  return { base, width, bytes }
}

const widths = Array.from({ length: 33 }, (_, width) => width)

/** Entries of exactly this width, in a block and a bit or in few. */
function entriesOf(width: number, count: number, base: number): Int32Array<ArrayBuffer> {
  const most = 2 ** width - 1
  return Int32Array.from({ length: count }, (_, index) => {
    if (index === 0) return base
    if (index === 1) return base + most
    return base + ((Math.imul(index, 2_654_435_761) >>> 0) % (most + 1))
  })
}

describe('packed words', () => {
  for (const width of widths) {
    test(`of ${width} bits are what the definition says, and come back`, () => {
      for (const count of [2, 3, 7, 8, 9, 63, 64, 65]) {
        const source = entriesOf(width, count, width === 32 ? -(2 ** 31) : -77)
        const { base, width: found, bytes } = packBits(source)
        expect({ base, width: found, bytes: [...bytes] }).toEqual(expected(source))
        expect(bytes.length).toBe(packedBitsLength(count, width))
        expect(unpackBits(bytes, { count, base, width })).toEqual({ ok: true, values: source })
      }
      const long = entriesOf(width, 2 * 32_768 + 13, -(2 ** 31))
      const { base, bytes } = packBits(long)
      const unpacked = unpackBits(bytes, { count: long.length, base, width })
      if (!unpacked.ok) throw new Error(unpacked.kind)
      expect(Buffer.compare(Buffer.from(unpacked.values.buffer), Buffer.from(long.buffer))).toBe(0)
    })
  }

  test('random words come back, from views at any alignment', () => {
    const word = fc.oneof(
      fc.integer(),
      fc.integer({ min: -9, max: 9 }),
      fc.constantFrom(-(2 ** 31), 2 ** 31 - 1),
    )
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 200 }), fc.nat({ max: 7 }), (entries, offset) => {
        const source = Int32Array.from(entries)
        const packed = packBits(source)
        expect({ ...packed, bytes: [...packed.bytes] }).toEqual(expected(source))
        const frame = new Uint8Array(offset + packed.bytes.length)
        frame.set(packed.bytes, offset)
        const form = { count: source.length, base: packed.base, width: packed.width }
        expect(unpackBits(frame.subarray(offset), form)).toEqual({ ok: true, values: source })
      }),
    )
  })

  test('any other bytes are refused, or are the one packed form of what they give', () => {
    const form = fc.record({
      count: fc.integer({ min: 1, max: 9 }),
      base: fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 2 ** 31 - 4)),
      width: fc.nat({ max: 32 }),
    })
    const bytes = fc.uint8Array({ maxLength: 40 })
    fc.assert(
      fc.property(form, bytes, fc.boolean(), ({ count, base, width }, given, fits) => {
        const packed = fits
          ? Uint8Array.from({ length: packedBitsLength(count, width) }, (_, at) => given[at] ?? 0)
          : given
        const unpacked = unpackBits(packed, { count, base, width })
        if (!unpacked.ok) return
        const again = packBits(unpacked.values)
        expect({ ...again, bytes: [...again.bytes] }).toEqual({ base, width, bytes: [...packed] })
      }),
      { numRuns: 2000 },
    )
  })

  const refused = [
    { desc: 'a byte too many', bytes: [4, 0], form: { count: 2, base: 0, width: 3 }, kind: 'length' },
    { desc: 'a byte too few', bytes: [], form: { count: 2, base: 0, width: 3 }, kind: 'length' },
    { desc: 'bytes at width 0', bytes: [0], form: { count: 2, base: 0, width: 0 }, kind: 'length' },
    {
      desc: 'more entries than bytes',
      bytes: [1],
      form: { count: 2 ** 31 - 1, base: 0, width: 32 },
      kind: 'length',
    },
    {
      desc: 'a bit after the last entry',
      bytes: [0b1100000],
      form: { count: 2, base: 0, width: 3 },
      kind: 'padding',
    },
    {
      desc: 'a base that no entry has',
      bytes: [0b101001],
      form: { count: 2, base: 0, width: 3 },
      kind: 'base',
    },
    {
      desc: 'a width that no entry needs',
      bytes: [0b011000],
      form: { count: 2, base: 0, width: 3 },
      kind: 'width',
    },
    {
      desc: 'entries all alike with a width',
      bytes: [0],
      form: { count: 8, base: 5, width: 1 },
      kind: 'width',
    },
    {
      desc: 'an entry past 32 bits',
      bytes: [0b110000],
      form: { count: 2, base: 2 ** 31 - 6, width: 3 },
      kind: 'range',
    },
  ] as const
  for (const { desc, bytes, form, kind } of refused) {
    test(`refuses ${desc}`, () => {
      expect(unpackBits(Uint8Array.from(bytes), form)).toEqual({ ok: false, kind })
    })
  }

  test('refuses what is no form at all as a mistake of the caller', () => {
    for (const form of [
      { count: 0, base: 0, width: 1 },
      { count: 1, base: 2 ** 31, width: 1 },
      { count: 1, base: 0, width: 33 },
      { count: 1.5, base: 0, width: 0 },
    ]) {
      expect(() => unpackBits(new Uint8Array(1), form)).toThrow(KernelError)
    }
    expect(() => packBits(new Int32Array())).toThrow(KernelError)
  })
})

test('the smallest and the largest entry are found wherever they lie', () => {
  for (const length of [1, 2, 3, 4, 5, 17, 32_768, 32_769, 70_003]) {
    for (const at of [0, length >> 1, length - 1]) {
      const source = new Int32Array(length).fill(7)
      source[at] = -(2 ** 31)
      expect(minMax(source)).toEqual({ min: -(2 ** 31), max: length === 1 ? -(2 ** 31) : 7 })
      source[at] = 2 ** 31 - 1
      expect(minMax(source)).toEqual({ min: length === 1 ? 2 ** 31 - 1 : 7, max: 2 ** 31 - 1 })
    }
  }
})
