/** Every SHA-256 folds an output to the same element (spec E4, E5), whole and as it arrives in pieces. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type Digest, encodeHex, foldDigest, foldOutputToField } from '@shardy/protocol'
import fc from 'fast-check'
import { nativeHashing } from './native.ts'
import { pureHashing } from './pure.ts'
import { loadHashing } from './wasm.ts'

const file = path.join(import.meta.dir, '../../../../../vectors/digest/fold.json')
const { outputs } = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly outputs: readonly { readonly outputLength: number; readonly value: string }[]
}
const numbered = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 167 + 13) & 0xff)

describe.each([
  { name: 'native', hashing: nativeHashing },
  { name: 'wasm', hashing: await loadHashing() },
  { name: 'pure', hashing: pureHashing },
])('$name', ({ hashing }) => {
  function foldInPieces(output: Uint8Array, lengths: readonly number[]): bigint {
    const hash = hashing.createHash()
    let offset = 0
    for (const length of lengths) {
      hash.update(output.subarray(offset, offset + length))
      offset += length
    }
    const outputDigest = encodeHex(hash.update(output.subarray(offset)).digest()) as Digest
    return foldDigest(outputDigest, output.length, hashing.sha256)
  }

  test.each([...outputs])('$outputLength bytes', ({ outputLength, value }) => {
    const output = numbered(outputLength)
    expect(foldOutputToField(output, hashing.sha256).toString()).toBe(value)
    for (const lengths of [[1], [64], [63, 2], [outputLength >> 1]])
      expect(foldInPieces(output, lengths).toString()).toBe(value)
  })

  test('any output in any pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.nat(150)), (output, lengths) => {
        expect(foldInPieces(output, lengths)).toBe(foldOutputToField(output, nativeHashing.sha256))
      }),
    )
  })
})
