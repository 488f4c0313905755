import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { gelu, lookupTable, rotaryTables, sigmoid, silu, softmaxTable } from './tables.ts'
import { tensorBytes } from './tensor.ts'

function digest(data: Parameters<typeof tensorBytes>[0]['data']): string {
  return createHash('sha256').update(tensorBytes({ data })).digest('hex').slice(0, 16)
}

const signed = { dtype: 'i8', scale: 1 / 16 } as const

describe('lookup tables', () => {
  test('are the image of every byte, in order', () => {
    const table = lookupTable((x) => x, signed, signed)
    expect(Array.from(table)).toEqual(Array.from({ length: 256 }, (_, index) => index - 128))
  })

  test('scales and zero points move both sides', () => {
    const from = { dtype: 'u8', scale: 0.5, zeroPoint: 10 } as const
    const to = { dtype: 'i8', scale: 0.25, zeroPoint: -3 } as const
    const table = lookupTable((x) => x, from, to)
    // (10 - 10) / 2 is 0; (12 - 10) / 2 is 1 = (1 - -3) · 0.25.
    expect([table[10], table[12], table[0], table[255]]).toEqual([-3, 1, -23, 127])
  })

  test('halves round upward, images saturate', () => {
    const to = { dtype: 'u8', scale: 1 } as const
    const table = lookupTable((x) => x * 1000, { dtype: 'i8', scale: 0.0005 }, to)
    expect([table[0], table[127], table[128], table[129], table[255]]).toEqual([0, 0, 0, 1, 64])
    expect(lookupTable(() => Number.POSITIVE_INFINITY, signed, to)[0]).toBe(255)
  })

  test('gelu, silu and sigmoid near the engine', () => {
    const to = { dtype: 'i8', scale: 1 / 16 } as const
    const share = { dtype: 'u8', scale: 1 / 256 } as const
    const [gelus, silus] = [lookupTable(gelu, signed, to), lookupTable(silu, signed, to)]
    const sigmoids = lookupTable(sigmoid, signed, share)
    expect([gelus[128], gelus[144], gelus[112], gelus[255], gelus[0]]).toEqual([0, 13, -3, 127, 0])
    expect([silus[128], silus[144], silus[112], silus[255], silus[0]]).toEqual([0, 12, -4, 127, 0])
    expect([sigmoids[128], sigmoids[144], sigmoids[112], sigmoids[255], sigmoids[0]]).toEqual([
      128, 187, 69, 255, 0,
    ])
  })

  test('refuse scales and images that are no numbers', () => {
    for (const scale of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => lookupTable(gelu, { dtype: 'i8', scale }, signed)).toThrow(`from.scale is ${scale}`)
      expect(() => lookupTable(gelu, signed, { dtype: 'i8', scale })).toThrow(`to.scale is ${scale}`)
    }
    expect(() => lookupTable(() => Number.NaN, signed, signed)).toThrow('the image of -8 is not a number')
  })
})

describe('softmax tables', () => {
  test('fall by a constant factor from the greatest weight', () => {
    const table = softmaxTable(Math.LN2)
    expect(Array.from(table.slice(0, 4))).toEqual([65_535, 32_768, 16_384, 8_192])
    expect(table[255]).toBe(0)
    expect(softmaxTable(1, 1)[0]).toBe(1)
  })

  test('refuse other scales and weights', () => {
    expect(() => softmaxTable(0)).toThrow('scale is 0')
    for (const most of [0, 65_536, 1.5]) expect(() => softmaxTable(1, most)).toThrow(`most is ${most}`)
  })
})

describe('rotary tables', () => {
  test('turn by nothing at the first position', () => {
    const { cos, sin } = rotaryTables({ positions: 1, columns: 4 })
    expect([...cos, ...sin]).toEqual([16_384, 16_384, 0, 0])
  })

  test('pair i turns by base^(-2i / columns) each position', () => {
    const { cos, sin, shift } = rotaryTables({ positions: 3, columns: 4, base: 100, shift: 10 })
    const angles = [0, 0, 1, 0.1, 2, 0.2]
    expect(Array.from(cos)).toEqual(angles.map((angle) => Math.round(1024 * Math.cos(angle))))
    expect(Array.from(sin)).toEqual(angles.map((angle) => Math.round(1024 * Math.sin(angle))))
    expect(shift).toBe(10)
  })

  test('may begin at a later position', () => {
    const all = rotaryTables({ positions: 9, columns: 2 })
    const later = rotaryTables({ positions: 4, columns: 2, firstPosition: 5 })
    expect(later.cos).toEqual(all.cos.slice(5))
  })

  test('no entry leaves what rotary takes', () => {
    const { cos, sin } = rotaryTables({ positions: 300, columns: 8, shift: 15 })
    expect([...cos, ...sin].every((entry) => Math.abs(entry) <= 32_767)).toBe(true)
    expect(cos[0]).toBe(32_767)
  })

  test('refuse other sizes', () => {
    expect(() => rotaryTables({ positions: 1, columns: 3 })).toThrow('columns is 3')
    expect(() => rotaryTables({ positions: 0, columns: 2 })).toThrow('positions is 0')
    expect(() => rotaryTables({ positions: 1, columns: 2, shift: 16 })).toThrow('shift is 16')
    expect(() => rotaryTables({ positions: 1, columns: 2, base: 0 })).toThrow('base is 0')
  })
})

test('the recipes give the same bytes in every engine', () => {
  const { cos, sin } = rotaryTables({ positions: 64, columns: 32 })
  const to = { dtype: 'i8', scale: 1 / 32 } as const
  const made = {
    gelu: digest(lookupTable(gelu, signed, to)),
    silu: digest(lookupTable(silu, signed, to)),
    sigmoid: digest(lookupTable(sigmoid, signed, { dtype: 'u8', scale: 1 / 255 })),
    softmax: digest(softmaxTable(1 / 16)),
    cos: digest(cos),
    sin: digest(sin),
  }
  expect(made).toEqual({
    gelu: 'dd52cb0d19e0e857',
    silu: 'e13ca67d7ca58dc8',
    sigmoid: '10ebf83f0dcdb6b2',
    softmax: '0f0b0d624dd52769',
    cos: '9c8a32bb47011253',
    sin: 'baf2dd5354ddd8c9',
  })
})
