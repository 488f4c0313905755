/** `shardy backup`, `backup check` and `restore`, on the bytes of a real store. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { serveRoutes, type TestServer, testApiKey } from '@shardy/sdk/testing'
import { backupStore, openBlobStore, openStore } from '@shardy/storage'
import { shardy } from '../test/terminal.ts'

let server: TestServer
let whole: Uint8Array<ArrayBuffer>
let sent: Uint8Array<ArrayBuffer>
let folder: string
const cli = (...words: string[]) => shardy(words, { SHARDY_URL: server.url, SHARDY_API_KEY: testApiKey })

beforeAll(async () => {
  const store = await openStore({ kind: 'memory', tables: ['tasks'], schemaVersion: 4 })
  await store.write([{ kind: 'put', table: 'tasks', key: Uint8Array.of(1), value: Uint8Array.of(2) }], {
    sync: true,
  })
  const blobs = await openBlobStore({ kind: 'memory', blobBytesMax: 1_000 })
  await blobs.putUnknown(Uint8Array.of(7, 7, 7))
  const parts: Uint8Array[] = []
  await backupStore(store, (bytes) => void parts.push(bytes.slice()), { blobs })
  whole = new Uint8Array(Buffer.concat(parts))
  server = serveRoutes({ backup: () => new Response(sent) })
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-cli-backup-'))
})
beforeEach(() => {
  sent = whole
})
afterAll(async () => {
  server.close()
  await rm(folder, { recursive: true, force: true })
})

test('a backup is fetched, checked and restored', async () => {
  const file = path.join(folder, 'whole')
  const made = await cli('backup', file, '--json')
  expect(JSON.parse(made.stdout)).toMatchObject({ file, blobs: 1, schemaVersion: 4 })
  expect(new Uint8Array(await readFile(file))).toEqual(whole)
  expect((await cli('backup', 'check', file)).stdout).toContain('is whole')
  const into = path.join(folder, 'data')
  const restored = await cli('restore', file, '--into', into, '--store', 'sqlite')
  expect([restored.exit, restored.stderr]).toEqual(['done', ''])
  const store = await openStore({
    kind: 'sqlite',
    path: path.join(into, 'store'),
    tables: ['tasks'],
    schemaVersion: 4,
  })
  expect(await store.get('tasks', Uint8Array.of(1))).toEqual(Uint8Array.of(2))
  await store.close()
  const again = await cli('restore', file, '--into', into, '--store', 'sqlite')
  expect(again.exit).toBe('file')
  expect(again.stderr).toContain('is not empty')
})

test('one that is cut short or changed gets no name, and is not restored', async () => {
  const file = path.join(folder, 'broken')
  for (const broken of [whole.slice(0, -9), whole.with(whole.length - 60, 99), new Uint8Array(40)]) {
    sent = broken
    const made = await cli('backup', file)
    expect(made.exit).toBe('file')
    expect((await readdir(folder)).filter((name) => name.startsWith('broken'))).toEqual([])
    const other = path.join(folder, 'other')
    await writeFile(other, broken)
    expect((await cli('backup', 'check', other)).exit).toBe('file')
    const into = path.join(folder, 'nowhere')
    expect((await cli('restore', other, '--into', into)).exit).toBe('file')
    expect(await readdir(into).catch(() => 'none')).toBe('none')
    await rm(other)
  }
})

test('what is missing or wrong on the command line is said', async () => {
  expect((await cli('restore', 'x')).stderr).toContain('--into')
  expect((await cli('restore', 'x', '--into', folder, '--store', 'memory')).stderr).toContain("'memory'")
  expect((await cli('backup', 'check', path.join(folder, 'none'))).stderr).toContain('there is no such file')
})
