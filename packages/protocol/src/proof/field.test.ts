import { expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  bigEndian,
  decodeFieldElement,
  encodeFieldElement,
  isFieldElement,
  scalarFieldOrder,
} from './field.ts'

const element = fc.bigInt({ min: 0n, max: scalarFieldOrder - 1n })

test('an element and its bytes are one another (spec E2)', () => {
  fc.assert(
    fc.property(element, (value) => expect(decodeFieldElement(encodeFieldElement(value))).toBe(value)),
  )
})

test('of all 32 bytes, those below r are read, and written again as they were', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const value = decodeFieldElement(bytes)
      expect(value !== undefined).toBe(bigEndian(bytes) < scalarFieldOrder)
      if (value !== undefined) expect(encodeFieldElement(value)).toEqual(bytes)
    }),
  )
})

test('what is no element is not written', () => {
  for (const value of [-1n, scalarFieldOrder, 2n ** 256n]) {
    expect(isFieldElement(value)).toBe(false)
    expect(() => encodeFieldElement(value)).toThrow('is no element of the scalar field')
  }
})

test('no bytes are the number zero', () => expect(bigEndian(new Uint8Array(0))).toBe(0n))
