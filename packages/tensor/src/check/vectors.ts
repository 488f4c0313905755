/**
 * Random vectors from a seed (spec C9): SHA-256 in counter mode gives 32-bit words, each word's low 31 bits give an
 * element, and p itself is thrown away, so that every element is equally likely. All nodes of a check take the beginnings
 * of the same streams, one stream for each repetition.
 */
import { domainPayload, type Sha256 } from '@shardy/protocol'
import { checkModulus } from '../modulus.ts'
import type { FieldVectors } from './field.ts'

export const seedBytes = 32
/** Far more elements than a tensor has rows or columns. */
const blocksMax = 2 ** 24

export interface Vectors {
  readonly repetitions: number
  /** So many vectors of that length. */
  take(length: number): FieldVectors
}

interface Stream {
  elements: Uint32Array
  length: number
  blocks: number
}

export function expandVectors(seed: Uint8Array, repetitions: number, sha256: Sha256): Vectors {
  if (seed.length !== seedBytes)
    throw new RangeError(`the seed has ${seed.length} bytes, expected ${seedBytes}`)
  // 54 bytes: with its padding exactly one block of the hash.
  const payload = domainPayload('vectors', Uint8Array.from([...seed, 0, 0, 0, 0]))
  const counter = payload.length - 4
  const streams = Array.from({ length: repetitions }, (): Stream => {
    return { elements: new Uint32Array(0), length: 0, blocks: 0 }
  })

  function extend(stream: Stream, repetition: number, length: number): void {
    if (stream.elements.length < length + 8) {
      const elements = new Uint32Array(Math.max(2 * stream.elements.length, length + 8))
      elements.set(stream.elements)
      stream.elements = elements
    }
    payload[counter + 3] = repetition
    while (stream.length < length) {
      if (stream.blocks === blocksMax) throw new RangeError(`a vector of ${length} elements is too long`)
      payload[counter] = stream.blocks & 0xff
      payload[counter + 1] = (stream.blocks >>> 8) & 0xff
      payload[counter + 2] = stream.blocks >>> 16
      const hash = sha256(payload)
      for (let at = 0; at < 32; at += 4) {
        const [b0 = 0, b1 = 0, b2 = 0, b3 = 0] = [hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]
        const element = b0 | (b1 << 8) | (b2 << 16) | ((b3 & 0x7f) << 24)
        if (element !== checkModulus) stream.elements[stream.length++] = element
      }
      stream.blocks += 1
    }
  }

  return {
    repetitions,
    take(length) {
      const elements = new Uint32Array(repetitions * length)
      for (const [repetition, stream] of streams.entries()) {
        extend(stream, repetition, length)
        elements.set(stream.elements.subarray(0, length), repetition * length)
      }
      return { repetitions, elements }
    },
  }
}
