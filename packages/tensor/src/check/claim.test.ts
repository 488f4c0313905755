import { expect, test } from 'bun:test'
import type { Digest } from '@shardy/protocol'
import { sha256 } from '../../test/sha256.ts'
import { type Claim, commitToClaim, isPartOf, pathToPart } from './claim.ts'

const parts = [0, 3, 4, 9, 11]
const claim: Claim = {
  output: Uint8Array.of(1, 2, 3),
  transcript: parts.map((node) => Uint8Array.of(node, 0, 0, 0, 0, 7)),
}
const { transcriptRoot } = commitToClaim(parts, claim, sha256)
const root = transcriptRoot as Digest

test('golden: the digest of the output and the root over the parts (spec C8)', () => {
  expect(commitToClaim(parts, claim, sha256)).toMatchInlineSnapshot(`
    {
      "outputDigest": "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81",
      "transcriptRoot": "76dcaf2588203cb211d53672bfb99a21028f0f67b8f2223e81030d18a170b4fa",
    }
  `)
})

test('without parts there is no root', () => {
  expect(commitToClaim([], { ...claim, transcript: [] }, sha256).transcriptRoot).toBeUndefined()
})

test('any part can be asked for alone, and no other bytes pass for it', () => {
  for (const [index, part] of claim.transcript.entries()) {
    const path = pathToPart(parts, claim.transcript, index, sha256)
    const fits = (changed: object) => isPartOf(root, parts, { index, part, path, ...changed }, sha256)
    expect(fits({})).toBe(true)
    expect(fits({ part: part.with(5, 8) })).toBe(false)
    expect(fits({ part: Uint8Array.of(...part, 0) })).toBe(false)
    expect(fits({ index: (index + 1) % parts.length })).toBe(false)
    expect(fits({ index: parts.length })).toBe(false)
    expect(fits({ path: path.slice(1) })).toBe(false)
    expect(fits({ path: [...path, '00'.repeat(32) as Digest] })).toBe(false)
    expect(fits({ path: path.with(0, 'zz' as Digest) })).toBe(false)
  }
})

test('a part is committed to as the part of its node', () => {
  const moved = commitToClaim([0, 3, 4, 9, 12], claim, sha256)
  expect(moved.transcriptRoot).not.toBe(root)
})

test('another number of parts has no commitment', () => {
  expect(() => commitToClaim(parts.slice(1), claim, sha256)).toThrow('5 parts for 4 nodes')
  expect(() => pathToPart(parts, claim.transcript, 5, sha256)).toThrow('no part 5')
})
