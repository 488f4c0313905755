/** The codec of an element of the proofs' field: 32 bytes, highest first, below r; no number has a second encoding (spec E2). */
import type { Codec } from '../schema/codec.ts'
import { bigEndian, encodeFieldElement, fieldBytes, isFieldElement, scalarFieldOrder } from './field.ts'

export function elementBytes(): Codec<bigint> {
  return {
    wireType: 2,
    proto: { type: 'bytes', note: `element of BN254's scalar field, ${fieldBytes} bytes, below r` },
    absent: undefined,
    isDefault: () => false,
    write(writer, value) {
      const bytes = encodeFieldElement(value)
      writer.varint(fieldBytes)
      writer.raw(bytes)
    },
    read(reader) {
      const value = bigEndian(reader.exactBytes(fieldBytes))
      if (isFieldElement(value)) return value
      const max = String(scalarFieldOrder - 1n)
      return reader.refuse({
        kind: 'outOfRange',
        field: reader.path(),
        min: '0',
        max,
        actual: String(value),
      })
    },
  }
}
