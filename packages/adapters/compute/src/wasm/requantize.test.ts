import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KernelError } from './instance.ts'
import { openKernels } from './kernels.ts'
import type { Requantization, RequantizeTarget } from './requantize.ts'

const opened = await openKernels()
if (!opened.ok) throw new Error(opened.refusal.message)
const { requantize } = opened.kernels.elements

const dtypes = ['i8', 'u8', 'i32'] as const
type Dtype = (typeof dtypes)[number]

function targetOf(dtype: Dtype, length: number): RequantizeTarget {
  if (dtype === 'i32') return new Int32Array(length)
  return dtype === 'i8' ? new Int8Array(length) : new Uint8Array(length)
}

const bounds: Record<Dtype, [bigint, bigint]> = {
  i8: [-128n, 127n],
  u8: [0n, 255n],
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
}

/** The definition in integers of unlimited size. */
function expected(source: Int32Array, dtype: Dtype, how: Requantization): number[] {
  const { multipliers, shifts, zeroPoint, channels, bias, table } = how
  const [min, max] = bounds[dtype]
  return Array.from(source, (entry, index) => {
    const channel = index % channels
    const own = multipliers.length === 1 ? 0 : channel
    const shift = BigInt(shifts[own] ?? 0)
    const x = BigInt.asIntN(32, BigInt(entry) + BigInt(bias?.[channel] ?? 0))
    const product = x * BigInt(multipliers[own] ?? 0)
    // `>>` of a bigint is the floor of the division.
    const shifted = shift === 0n ? product : (product + 2n ** (shift - 1n)) >> shift
    const value = BigInt(zeroPoint) + shifted
    const y = Number(value < min ? min : value > max ? max : value)
    return table === undefined ? y : (table[y & 255] ?? Number.NaN)
  })
}

function expectAll(source: Int32Array, how: Requantization): void {
  for (const dtype of dtypes) {
    if (dtype === 'i32' && how.table !== undefined) continue
    const actual = requantize(source, targetOf(dtype, source.length), how)
    // An entry of a table keeps the bits, whatever the sign of the target.
    const wanted = targetOf(dtype, source.length)
    wanted.set(expected(source, dtype, how))
    expect([dtype, ...actual]).toEqual([dtype, ...wanted])
  }
}

const extremes = [-(2 ** 31), -(2 ** 31) + 1, -1, 0, 1, 2 ** 30, 2 ** 31 - 1]
const word = fc.oneof(fc.constantFrom(...extremes), fc.integer(), fc.integer({ min: -300, max: 300 }))
const shift = fc.oneof(fc.constantFrom(0, 1, 30, 31, 32, 33, 61, 62), fc.integer({ min: 0, max: 62 }))

function per<T>(channels: number, one: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(one, { minLength: channels, maxLength: channels })
}

const cases = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 12 }), fc.boolean())
  .chain(([channels, rows, isPerTensor]) =>
    fc.record({
      source: per(channels * rows, word),
      channels: fc.constant(channels),
      multipliers: per(isPerTensor ? 1 : channels, word),
      // All alike, near one another, or anything: the ways to a common shift and away from it.
      shifts: fc.oneof(
        shift.map((one) => new Array<number>(isPerTensor ? 1 : channels).fill(one)),
        per(isPerTensor ? 1 : channels, fc.integer({ min: 40, max: 43 })),
        per(isPerTensor ? 1 : channels, shift),
      ),
      zeroPoint: word,
      bias: fc.option(per(channels, word), { nil: undefined }),
      table: fc.option(per(256, fc.nat({ max: 255 })), { nil: undefined }),
    }),
  )

describe('requantize', () => {
  test('is exact for random parameters of every kind', () => {
    fc.assert(
      fc.property(cases, ({ source, channels, multipliers, shifts, zeroPoint, bias, table }) => {
        expectAll(Int32Array.from(source), {
          multipliers: Int32Array.from(multipliers),
          shifts: Uint8Array.from(shifts),
          zeroPoint,
          channels,
          bias: bias && Int32Array.from(bias),
          table: table && Uint8Array.from(table),
        })
      }),
      { numRuns: 300 },
    )
  })

  test('is exact at every shift for the extremes, and rounds halves up', () => {
    const source = Int32Array.from([...extremes, 3, -3, 5, -5, 2 ** 29, -(2 ** 29)])
    for (const multiplier of [...extremes, 3, 2 ** 20]) {
      for (let one = 0; one <= 62; one++) {
        expectAll(source, {
          multipliers: Int32Array.of(multiplier),
          shifts: Uint8Array.of(one),
          zeroPoint: -3,
          channels: 1,
        })
      }
    }
    const halves = Int32Array.of(-3, -1, 1, 3)
    const how = { multipliers: Int32Array.of(1), shifts: Uint8Array.of(1), zeroPoint: 0, channels: 1 }
    expect([...requantize(halves, new Int8Array(4), how)]).toEqual([-1, 0, 1, 2])
  })

  test('keeps channels apart over many blocks and at awkward widths', () => {
    for (const [channels, rows] of [
      [3, 50_000],
      [70, 2000],
      [16_385, 9],
      [65_537, 2],
      [140_000, 2],
    ] as const) {
      const parameters = (scale: number) =>
        Int32Array.from({ length: channels }, (_, index) => (index % 97) * scale)
      const how: Requantization = {
        multipliers: parameters(1_000_003),
        shifts: Uint8Array.from({ length: channels }, (_, index) => 34 + (channels === 70 ? index % 9 : 0)),
        zeroPoint: 1,
        channels,
        bias: parameters(-1013),
      }
      const source = Int32Array.from(
        { length: channels * rows },
        (_, index) => Math.imul(index, 2_654_435_761) >> 9,
      )
      const actual = requantize(source, new Int8Array(source.length), how)
      const wanted = Int8Array.from(expected(source, 'i8', how))
      expect([channels, actual.findIndex((entry, index) => entry !== wanted[index])]).toEqual([channels, -1])
    }
  })

  test('writes nothing beside its target, and may work in place', () => {
    const how = { multipliers: Int32Array.of(2 ** 30), shifts: Uint8Array.of(31), zeroPoint: 0, channels: 1 }
    const frame = new Int8Array(21).fill(9)
    requantize(
      Int32Array.from({ length: 17 }, () => 200),
      frame.subarray(2, 19),
      how,
    )
    expect([...frame]).toEqual([9, 9, ...new Array<number>(17).fill(100), 9, 9])
    const words = Int32Array.of(8, -8, 7)
    requantize(words, words, how)
    expect([...words]).toEqual([4, -4, 4])
  })

  const source = new Int32Array(6)
  const target = new Int8Array(6)
  const how: Requantization = {
    multipliers: Int32Array.of(1),
    shifts: Uint8Array.of(1),
    zeroPoint: 0,
    channels: 3,
  }
  const refused: { desc: string; call: () => unknown; kind: KernelError['kind'] }[] = [
    { desc: 'a short target', call: () => requantize(source, target.subarray(1), how), kind: 'length' },
    {
      desc: 'channels that do not divide',
      call: () => requantize(source, target, { ...how, channels: 4 }),
      kind: 'length',
    },
    {
      desc: 'no channels',
      call: () => requantize(source, target, { ...how, channels: 0 }),
      kind: 'parameter',
    },
    {
      desc: 'two multipliers for three channels',
      call: () => requantize(source, target, { ...how, multipliers: new Int32Array(2) }),
      kind: 'length',
    },
    {
      desc: 'fewer shifts than multipliers',
      call: () => requantize(source, target, { ...how, multipliers: new Int32Array(3) }),
      kind: 'length',
    },
    {
      desc: 'a shift of 63',
      call: () => requantize(source, target, { ...how, shifts: Uint8Array.of(63) }),
      kind: 'parameter',
    },
    {
      desc: 'a zero point beyond words',
      call: () => requantize(source, target, { ...how, zeroPoint: 2 ** 31 }),
      kind: 'parameter',
    },
    {
      desc: 'a short bias',
      call: () => requantize(source, target, { ...how, bias: new Int32Array(1) }),
      kind: 'length',
    },
    {
      desc: 'a short table',
      call: () => requantize(source, target, { ...how, table: new Uint8Array(255) }),
      kind: 'length',
    },
    {
      desc: 'a table for words',
      call: () => requantize(source, new Int32Array(6), { ...how, table: new Uint8Array(256) }),
      kind: 'parameter',
    },
  ]
  for (const { desc, call, kind } of refused) {
    test(`refuses ${desc}`, () => {
      expect(call).toThrow(KernelError)
      expect(call).toThrow(expect.objectContaining({ kind }))
    })
  }
})
