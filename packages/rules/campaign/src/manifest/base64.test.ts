import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeBase64, encodeBase64 } from './base64.ts'

test('is what everybody writes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      const text = encodeBase64(bytes)
      expect(text).toBe(Buffer.from(bytes).toString('base64'))
      expect(decodeBase64(text)).toEqual(bytes)
    }),
  )
})

for (const text of [
  'A',
  'AA',
  'AAA',
  'AB==',
  'AAB=',
  '====',
  'A===',
  'AA=A',
  'AA==AAAA',
  'AA-_',
  ' AAA',
  'AAÄA',
]) {
  test(`refuses ${text}`, () => expect(decodeBase64(text)).toBeUndefined())
}

test('has one text for each run of bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ABC/+='), maxLength: 8 }), (text) => {
      const bytes = decodeBase64(text)
      if (bytes !== undefined) expect(encodeBase64(bytes)).toBe(text)
    }),
  )
})
