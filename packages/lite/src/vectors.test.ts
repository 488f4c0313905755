/** The golden files hold: each is what the definition makes, and what the fast code computes from its bytes. */
import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { encodeHex } from '@shardy/protocol'
import { folder, readVector } from '../test/vectorFiles.ts'
import { type LiteCase, makeVectors } from '../test/vectors.ts'
import { computeLite, decodeLite, encodeLite } from './index.ts'

const files = makeVectors()

test('the files are these, and what the code makes', () => {
  expect(readdirSync(folder).toSorted()).toEqual([...Object.keys(files), 'README.md'].toSorted())
  for (const [name, content] of Object.entries(files)) expect(readVector(name)).toEqual(content)
})

describe('programs.json', () => {
  for (const { name, kind, program, input, output } of files['programs.json'].cases as LiteCase[]) {
    test(name, () => {
      const decoded = decodeLite(kind, Uint8Array.fromHex(program))
      if (!decoded.ok) throw new Error(decoded.refusal.kind)
      expect(encodeHex(encodeLite(decoded.value))).toBe(program)
      expect(encodeHex(computeLite(decoded.value, Uint8Array.fromHex(input)))).toBe(output)
    })
  }

  test('a first round is the published FNV-1a', () => {
    const outputOf = (name: string) => files['programs.json'].cases.find((each) => each.name === name)?.output
    expect(outputOf('plain FNV-1a of 32 bits')).toBe('68f99cbf')
  })
})

describe('refused.json', () => {
  for (const { name, kind, program, refusal, field } of files['refused.json'].cases) {
    test(name, () => {
      const decoded = decodeLite(kind, Uint8Array.fromHex(program))
      expect(decoded.ok ? 'accepted' : decoded.refusal).toMatchObject({ kind: refusal, field })
    })
  }
})
