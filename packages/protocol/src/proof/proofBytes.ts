/** The codec of a Groth16 proof's bytes: three points in the order of EIP-197, uncompressed. */
import type { Codec } from '../schema/codec.ts'

export const proofLength = 256

/** The length only; that they are points is for whoever verifies to say. */
export function proofBytes(): Codec<Uint8Array> {
  return {
    wireType: 2,
    proto: { type: 'bytes', note: `A, B and C on BN254, ${proofLength} bytes` },
    absent: undefined,
    isDefault: () => false,
    write(writer, value) {
      if (value.length !== proofLength) throw new TypeError(`a proof has ${proofLength} bytes`)
      writer.varint(proofLength)
      writer.raw(value)
    },
    read: (reader) => reader.exactBytes(proofLength),
  }
}
