/** The golden files hold: each is what the code makes, twice over, and says what it says to a reader of bytes alone. */
import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { type Digest, encodeHex } from '@shardy/protocol'
import type { RefusedCase } from '../test/refusedPrograms.ts'
import { sha256 } from '../test/sha256.ts'
import { folder, readProducts, readVector } from '../test/vectorFiles.ts'
import { makeVectors, type VectorCase } from '../test/vectors.ts'
import { operationNames } from './operations/index.ts'
import { decodeProgram, encodeProgram, programId } from './program/encoding.ts'
import { evaluate } from './program/evaluate.ts'

const bytesOf = (hex: string) => Uint8Array.fromHex(hex)
const files = makeVectors(readProducts())

describe('vectors/tensor', () => {
  for (const [name, content] of Object.entries(files)) {
    test(`${name} is what the code makes`, () => expect(readVector(name)).toEqual(content))
  }

  test('holds these files, and the page that explains them', () => {
    expect(readdirSync(folder).toSorted()).toEqual([...Object.keys(files), 'README.md'].toSorted())
  })
})

const families = Object.keys(files).filter((name) => name !== 'matmul.json' && name !== 'refused.json')
const seen = new Set<string>()

for (const file of families) {
  describe(file, () => {
    const { cases } = readVector(file) as { readonly cases: readonly VectorCase[] }
    for (const { name, program: hex, programId: id, blobs, input, output } of cases) {
      test(name, () => {
        const decoded = decodeProgram(bytesOf(hex))
        if (!decoded.ok) throw new Error(decoded.refusal.kind)
        const program = decoded.value
        const byDigest = new Map(
          blobs.map((blob) => [encodeHex(sha256(bytesOf(blob))) as Digest, bytesOf(blob)]),
        )
        expect(encodeHex(encodeProgram(program))).toBe(hex)
        expect<string>(programId(program, sha256)).toBe(id)
        expect(encodeHex(evaluate(program, bytesOf(input), byDigest))).toBe(output)
        for (const { op } of program.nodes) seen.add(op)
      })
    }
  })
}

test('every operation has its cases', () => {
  expect(operationNames.filter((name) => !seen.has(name))).toEqual([])
})

describe('refused.json', () => {
  const { cases } = readVector('refused.json') as { readonly cases: readonly RefusedCase[] }
  for (const { name, program, kind, field } of cases) {
    test(name, () => {
      const decoded = decodeProgram(bytesOf(program))
      expect(decoded.ok ? 'accepted' : decoded.refusal).toMatchObject({ kind, field })
    })
  }
})
