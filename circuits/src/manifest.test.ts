// The artifacts as they are committed. That each key belongs to its circuit takes longer: `npm run artifacts`.

import { expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { artifactsFolder, describeFile, readManifest } from './manifest.ts'
import { statements } from './statements.ts'

const { versions } = readManifest()

test('every file is the one that the manifest describes, and there is no other', () => {
  const described = versions.flatMap(({ files }) => [files.wasm, files.zkey, files.vkey])
  expect(described.map((file) => describeFile(file.path))).toEqual(described)
  expect(readdirSync(artifactsFolder).sort()).toEqual(
    ['manifest.json', ...described.map((file) => file.path)].sort(),
  )
})

test('every statement has exactly one active version', () => {
  for (const { kind } of statements)
    expect(versions.filter((one) => one.kind === kind && one.status === 'active')).toHaveLength(1)
})

test('verifier versions are unique, and say the shape of their statement', () => {
  expect(new Set(versions.map((one) => one.verifierVersion)).size).toBe(versions.length)
  for (const version of versions) {
    const statement = statements.find((one) => one.name === version.circuit)
    expect(version.constraints).toBe(statement?.constraints ?? 0)
    expect(version.publicSignals).toBe(statement?.publicSignals ?? 0)
  }
})

test('no key that a dealer made calls itself anything but a development key', () => {
  for (const version of versions)
    if (version.contributions.some((one) => one.name === 'development dealer'))
      expect(version.trust).toBe('development')
})
