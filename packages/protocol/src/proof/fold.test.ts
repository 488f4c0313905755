import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { fold } from '../../test/proof/definition.ts'
import { sha256 } from '../../test/sha256.ts'
import type { Digest } from '../ids.ts'
import { encodeHex } from '../schema/hex.ts'
import { isFieldElement } from './field.ts'
import { foldDigest, foldOutputToField, reduceWide } from './fold.ts'

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => encodeHex(bytes) as Digest)
const length = fc.maxSafeNat()

test('is what the definition says, of any digest and length (spec E4, E5)', () => {
  fc.assert(
    fc.property(digest, length, (outputDigest, outputLength) => {
      const value = foldDigest(outputDigest, outputLength, sha256)
      expect(value.toString()).toBe(fold(outputDigest, outputLength).value)
      expect(isFieldElement(value)).toBe(true)
    }),
  )
})

test('of an output is that of its digest and length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (output) => {
      const outputDigest = encodeHex(sha256(output)) as Digest
      expect(foldOutputToField(output, sha256)).toBe(foldDigest(outputDigest, output.length, sha256))
    }),
  )
})

test('hangs on the digest and on the length', () => {
  const outputDigest = '00'.repeat(32) as Digest
  const values = [0, 1, 2 ** 32, 2 ** 40].map((each) => foldDigest(outputDigest, each, sha256))
  values.push(foldDigest(`${'00'.repeat(31)}01` as Digest, 0, sha256))
  expect(new Set(values).size).toBe(5)
})

test('takes no length and no digest that is none', () => {
  const outputDigest = '00'.repeat(32) as Digest
  for (const none of [-1, 0.5, Number.NaN, 2 ** 53])
    expect(() => foldDigest(outputDigest, none, sha256)).toThrow('is no length')
  for (const none of ['', '00'.repeat(31), 'FF'.repeat(32), '00'.repeat(33)])
    expect(() => foldDigest(none as Digest, 0, sha256)).toThrow('is no digest')
  expect(() => reduceWide(new Uint8Array(63))).toThrow('64 bytes are reduced, not 63')
})
