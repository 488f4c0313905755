/** The fold in WebAssembly against the golden files, and against the definition in `@shardy/protocol`. */
import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { type Digest, foldDigest, foldOutputToField, reduceWide, type Sha256 } from '@shardy/protocol'
import fc from 'fast-check'
import { readDigestVector } from '../../test/commitment/vectorFiles.ts'
import { FoldEndedError, type OutputFold } from './fold.ts'
import { openField } from './open.ts'

const opened = await openField()
if (!opened.ok) throw new Error(opened.refusal.message)
const { field } = opened
const sha256: Sha256 = (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest())

interface FoldFile {
  readonly outputs: readonly { outputLength: number; outputDigest: string; value: string }[]
  readonly digests: readonly { outputLength: number; outputDigest: string; value: string }[]
}
const { outputs, digests } = readDigestVector('fold.json') as FoldFile
const { reductions } = readDigestVector('reduction.json') as {
  readonly reductions: readonly { wide: string; value: string }[]
}
const numbered = (length: number) => Uint8Array.from({ length }, (_, index) => (index * 167 + 13) & 0xff)

function inPieces(output: Uint8Array, lengths: readonly number[]): OutputFold {
  const fold = field.createFold()
  let offset = 0
  for (const length of lengths) {
    fold.update(output.subarray(offset, offset + length))
    offset += length
  }
  return fold.update(output.subarray(offset))
}

describe('vectors/digest', () => {
  test.each(outputs)('$outputLength bytes, whole and in pieces', ({ outputLength, outputDigest, value }) => {
    const output = numbered(outputLength)
    for (const lengths of [[], [1], [63, 1], [64], [65, 0, 128], [outputLength >> 1, 7]]) {
      const folded = inPieces(output, lengths).finish()
      expect({ ...folded, value: folded.value.toString() }).toEqual({
        outputDigest: outputDigest as Digest,
        outputLength,
        value,
      })
    }
  })
  test.each([...outputs, ...digests])('$outputDigest, $outputLength', (one) => {
    expect(field.foldDigest(one.outputDigest as Digest, one.outputLength).toString()).toBe(one.value)
  })
  test.each(reductions)('$wide modulo r', ({ wide, value }) => {
    expect(field.reduceWide(Uint8Array.fromHex(wide)).toString()).toBe(value)
  })
})

test('any 512 bits, digest and length give what the definition gives', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  fc.assert(
    fc.property(bytes(64), (wide) => expect(field.reduceWide(wide)).toBe(reduceWide(wide))),
    { numRuns: 1000 },
  )
  fc.assert(
    fc.property(bytes(32), fc.maxSafeNat(), (digest, length) => {
      const outputDigest = digest.toHex() as Digest
      expect(field.foldDigest(outputDigest, length)).toBe(foldDigest(outputDigest, length, sha256))
    }),
  )
})

test('pieces of any size fold like the whole, however several folds interleave', () => {
  const piece = fc.record({ which: fc.nat(2), bytes: fc.uint8Array({ maxLength: 150 }) })
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
      const folds = Array.from({ length: 3 }, () => field.createFold())
      const wholes: number[][] = folds.map(() => [])
      for (const { which, bytes } of pieces) {
        folds[which]?.update(bytes)
        wholes[which]?.push(...bytes)
      }
      folds.forEach((fold, index) => {
        const whole = Uint8Array.from(wholes[index] ?? [])
        expect(fold.finish().value).toBe(foldOutputToField(whole, sha256))
      })
    }),
  )
})

test('a piece longer than the stage goes through in parts', () => {
  const output = numbered(300_001)
  expect(field.createFold().update(output).finish().value).toBe(foldOutputToField(output, sha256))
})

test('a fold that gave its value is over, and what is no digest is not folded', () => {
  const fold = field.createFold()
  fold.finish()
  expect(() => fold.finish()).toThrow(FoldEndedError)
  expect(() => fold.update(new Uint8Array(1))).toThrow(FoldEndedError)
  expect(() => field.foldDigest('00' as Digest, 1)).toThrow('is no digest')
  expect(() => field.foldDigest('00'.repeat(32) as Digest, -1)).toThrow('is no length')
  expect(() => field.reduceWide(new Uint8Array(32))).toThrow('64 bytes are reduced, not 32')
})
