import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { encodeHex } from '@shardy/protocol'
import { ArtifactError, loadArtifact } from './artifact.ts'
import { type Manifest, parseManifest } from './manifest.ts'
import { acceptedVersion, activeVersion } from './versions.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const folder = path.join(import.meta.dir, '../../../../../circuits/artifacts')
const written = JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8'))
type Json = ReturnType<typeof JSON.parse>

/** A copy of the committed one, with its first version changed. */
function changed(change: (version: Json, manifest: Json) => void): Json {
  const copy = structuredClone(written)
  change(copy.versions[0], copy)
  return copy
}

function versions(...list: readonly (readonly [number, 'v2' | 'v3', string])[]): Manifest {
  const [sample] = written.versions
  const json = {
    format: 1,
    versions: list.map(([verifierVersion, kind, status]) => ({ ...sample, verifierVersion, kind, status })),
  }
  const parsed = parseManifest(json)
  if (!parsed.ok) throw new Error(parsed.refusal.detail)
  return parsed.value
}

test('the committed manifest is read, and every key in it is marked as what it is', () => {
  const parsed = parseManifest(written)
  if (!parsed.ok) throw new Error(parsed.refusal.detail)
  expect(activeVersion(parsed.value, 'v2')).toMatchObject({ verifierVersion: 2, publicSignals: 4 })
  for (const { trust, contributions } of parsed.value.versions) {
    expect(trust).toBe('development')
    expect(contributions.length).toBeGreaterThan(0)
  }
})

describe('refused with its place', () => {
  const wrong: readonly (readonly [string, Json])[] = [
    ['content', null],
    ['content', []],
    ['format', changed((_, manifest) => (manifest.format = 2))],
    ['content.extra', changed((_, manifest) => (manifest.extra = 1))],
    ['content.versions', { format: 1 }],
    ['versions', { format: 1, versions: {} }],
    ['versions[0]', { format: 1, versions: ['x'] }],
    ['versions[0].verifierVersion', changed((version) => (version.verifierVersion = 0))],
    ['versions[0].verifierVersion', changed((version) => (version.verifierVersion = 65_536))],
    ['versions[0].verifierVersion', changed((version) => (version.verifierVersion = '2'))],
    ['versions[0].kind', changed((version) => (version.kind = 'none'))],
    ['versions[0].status', changed((version) => (version.status = 'new'))],
    ['versions[0].trust', changed((version) => (version.trust = 'full'))],
    ['versions[0].system', changed((version) => (version.system = 'plonk'))],
    ['versions[0].curve', changed((version) => (version.curve = 'bls12381'))],
    ['versions[0].note', changed((version) => delete version.note)],
    ['versions[0].files.zkey.path', changed((version) => (version.files.zkey.path = '../key'))],
    ['versions[0].files.zkey.path', changed((version) => (version.files.zkey.path = '/etc/passwd'))],
    ['versions[0].files.zkey.bytes', changed((version) => (version.files.zkey.bytes = 2 ** 40))],
    ['versions[0].files.vkey.sha256', changed((version) => (version.files.vkey.sha256 = 'AB'.repeat(32)))],
    ['versions[0].files.r1cs.sha256', changed((version) => (version.files.r1cs.sha256 = ''))],
    ['versions[0].contributions[0].hash', changed((version) => (version.contributions[0].hash = 'zz'))],
    ['versions[0].__proto__', JSON.parse(JSON.stringify(written).replace('"kind"', '"__proto__":{},"kind"'))],
  ]
  for (const [place, json] of wrong) {
    test(`${place}: ${JSON.stringify(json)?.length}`, () => {
      const parsed = parseManifest(json)
      expect(parsed).toMatchObject({ ok: false, refusal: { code: 'malformed' } })
      if (!parsed.ok) expect(parsed.refusal.detail).toStartWith(`the manifest's ${place} is `)
    })
  }

  test('a version listed twice, and two active ones of a kind', () => {
    expect(() => versions([2, 'v2', 'active'], [2, 'v2', 'retired'])).toThrow('listed once')
    expect(() => versions([2, 'v2', 'active'], [4, 'v2', 'active'])).toThrow('active in one version')
    expect(versions([2, 'v2', 'active'], [3, 'v3', 'active']).versions).toHaveLength(2)
  })
})

describe('a rotation', () => {
  const states = {
    before: versions([2, 'v2', 'active']),
    during: versions([2, 'v2', 'accepted'], [4, 'v2', 'active']),
    after: versions([2, 'v2', 'retired'], [4, 'v2', 'active']),
    ended: versions([2, 'v2', 'retired']),
  }
  const found = (manifest: Manifest, version: number, kind: 'v2' | 'v3' = 'v2') => {
    const outcome = acceptedVersion(manifest, kind, version)
    return outcome.ok ? 'taken' : outcome.refusal.code
  }

  test('gives new deliveries the new version, takes what was under way, and then refuses the old by name', () => {
    expect(Object.values(states).map((each) => activeVersion(each, 'v2')?.verifierVersion)).toEqual([
      2,
      4,
      4,
      undefined,
    ])
    expect(Object.values(states).map((each) => [found(each, 2), found(each, 4)])).toEqual([
      ['taken', 'unknownVersion'],
      ['taken', 'taken'],
      ['retiredVersion', 'taken'],
      ['retiredVersion', 'unknownVersion'],
    ])
  })

  test('leaves other kinds alone', () => {
    expect(activeVersion(states.before, 'v3')).toBeUndefined()
    expect(found(states.before, 2, 'v3')).toBe('wrongKind')
  })
})

describe('a file', () => {
  const bytes = Uint8Array.of(1, 2, 3)
  const file = { path: 'a.zkey', bytes: 3, sha256: encodeHex(sha256(bytes)) }

  test('is used when it is the one that the manifest names', async () => {
    const asked: unknown[] = []
    const fetchBytes = async (...about: unknown[]) => {
      asked.push(about)
      return bytes
    }
    expect(await loadArtifact(file, fetchBytes, sha256)).toBe(bytes)
    expect(asked).toEqual([['a.zkey', file.sha256, 3]])
  })

  test.each([
    ['another digest', Uint8Array.of(1, 2, 4), 'the digest'],
    ['too few bytes', Uint8Array.of(1, 2), '2 bytes'],
    ['too many bytes', Uint8Array.of(1, 2, 3, 0), '4 bytes'],
  ])('with %s is refused', async (_, other, text) => {
    const loading = loadArtifact(file, async () => other, sha256)
    await expect(loading).rejects.toBeInstanceOf(ArtifactError)
    await expect(loading).rejects.toThrow(text)
  })
})
