import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeHex, decodeHexInto, encodeHex, encodeHexByTable, encodeHexFrom } from './hex.ts'

test('the engine and the table give the same text, and it reads back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const text = encodeHexByTable(bytes)
      expect(encodeHex(bytes)).toBe(text)
      expect(text).toBe(Buffer.from(bytes).toString('hex'))
      expect(decodeHex(text)).toEqual(bytes)
    }),
  )
})

test('a run inside a buffer, of any length and twice in a row', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 40, maxLength: 80 }),
      fc.nat(40),
      fc.nat(40),
      (bytes, from, length) => {
        const run = bytes.slice(from, from + length)
        expect(encodeHexFrom(bytes, from, run.length)).toBe(encodeHex(run))
        expect(encodeHexFrom(bytes, 0, 32)).toBe(encodeHex(bytes.slice(0, 32)))
      },
    ),
  )
})

test('only lower-case hex of whole bytes is read', () => {
  expect(decodeHex('')).toEqual(new Uint8Array(0))
  for (const text of ['0', '0g', 'G0', 'FF', '0x', ' 0', '0\n', 'é0', '０0', '00 ', '000']) {
    expect(decodeHex(text)).toBeUndefined()
  }
})

test('every character but sixteen is refused', () => {
  for (let code = 0; code < 300; code++) {
    const letter = String.fromCharCode(code)
    const isDigit = '0123456789abcdef'.includes(letter)
    expect(decodeHex(`${letter}0`) !== undefined).toBe(isDigit)
    expect(decodeHex(`0${letter}`) !== undefined).toBe(isDigit)
  }
})

test('writes into the place it was given and nowhere else', () => {
  const target = new Uint8Array(5).fill(0xaa)
  expect(decodeHexInto('0102', target, 1, 2)).toBe(true)
  expect(target).toEqual(new Uint8Array([0xaa, 1, 2, 0xaa, 0xaa]))
  expect(decodeHexInto('010203', target, 1, 2)).toBe(false)
})
