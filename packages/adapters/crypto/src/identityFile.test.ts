import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportIdentity, generateIdentity } from './identity.ts'
import { IdentityFileError, openIdentityFile } from './identityFile.ts'
import { verifySignature } from './verification.ts'

let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shardy-identity-'))
  path = join(folder, 'data', 'identity.json')
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

test('makes the file once, for its owner alone, and finds the same identity again', async () => {
  const made = await openIdentityFile(path)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(join(folder, 'data'))).toEqual(['identity.json'])
  const found = await openIdentityFile(path)
  expect(found.publicKey).toEqual(made.publicKey)
  const payload = Uint8Array.of(1, 2, 3)
  expect(await verifySignature(made.publicKey, payload, await found.sign(payload))).toBe(true)
})

test('several openers at once end up with one identity', async () => {
  const opened = await Promise.all(Array.from({ length: 4 }, () => openIdentityFile(path)))
  for (const { publicKey } of opened) expect(publicKey).toEqual((await openIdentityFile(path)).publicKey)
  expect(await readdir(join(folder, 'data'))).toEqual(['identity.json'])
})

describe('refuses by name and leaves as it was', () => {
  const corrupt: { desc: string; text: () => Promise<string>; says: string }[] = [
    { desc: 'an empty file', text: async () => '', says: 'is not JSON' },
    { desc: 'half a file', text: async () => '{"kty": "EC", "crv"', says: 'is not JSON' },
    { desc: 'another document', text: async () => '{"hello": 1}', says: 'is not a P-256 key' },
    {
      desc: 'a changed key',
      text: async () => {
        const jwk = await exportIdentity(await generateIdentity({ extractable: true }))
        return JSON.stringify({ ...jwk, x: jwk.y })
      },
      says: 'is not a key on the curve',
    },
  ]

  test.each(corrupt)('$desc', async ({ text, says }) => {
    const content = await text()
    await mkdir(join(folder, 'data'))
    await writeFile(path, content)
    const thrown = await openIdentityFile(path).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(IdentityFileError)
    expect(String(thrown)).toContain(`${path} ${says}`)
    expect(await readFile(path, 'utf8')).toBe(content)
  })

  test('a folder in its place', async () => {
    await mkdir(path, { recursive: true })
    await expect(openIdentityFile(path)).rejects.toThrow('cannot be read (EISDIR)')
  })

  test('a file where its folder should be', async () => {
    await writeFile(join(folder, 'data'), '')
    const thrown = await openIdentityFile(path).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(IdentityFileError)
  })
})
