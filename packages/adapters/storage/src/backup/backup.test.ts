import { afterEach, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openBlobStore } from '../blobs/openBlobStore.ts'
import { expectKind, openings, put, read, tables } from '../conformance.ts'
import { openStore } from '../openStore.ts'
import { StoreError } from '../storeError.ts'
import { backupToFile } from './backupFile.ts'
import { backupStore } from './backupStore.ts'
import { verifyBackup } from './readBackup.ts'
import { restoreStore } from './restoreStore.ts'
import { SectionWriter } from './section.ts'

const synced = { sync: true }
const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shardy-backup-'))
  folders.push(folder)
  return folder
}

async function* pieces(bytes: Uint8Array, pieceBytes = 1_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

type Written = Parameters<typeof backupStore>[2]

async function backupOf(store: Parameters<typeof backupStore>[0], options?: Written): Promise<Uint8Array> {
  const written: Uint8Array[] = []
  await backupStore(store, (bytes) => void written.push(bytes.slice()), options)
  return Uint8Array.from(Buffer.concat(written))
}

const kinds = ['memory', 'sqlite', 'rocksdb'] as const
const restored = ['sqlite', 'rocksdb'] as const

for (const kind of kinds) {
  describe(`${kind} store: backup`, () => {
    const { open } = openings(kind)

    test('is of one moment while writes go on', async () => {
      const store = await open()
      const rows = Array.from({ length: 3_000 }, (_, index) =>
        put('left', String(index).padStart(5, '0'), 'old'),
      )
      await store.write(rows, synced)
      const written: Uint8Array[] = []
      let writes = 0
      const summary = await backupStore(store, async (bytes) => {
        written.push(bytes.slice())
        writes += 1
        await store.write([...rows.slice(0, 500), put('right', String(writes), 'new')].map(renewed), synced)
      })
      expect(writes).toBeGreaterThan(2)
      expect(summary.rows).toBe(3_001)
      const path = join(await freshFolder(), 'store')
      await restoreStore(pieces(Uint8Array.from(Buffer.concat(written))), { kind: 'sqlite', path })
      const copy = await openStore({ kind: 'sqlite', path, tables, schemaVersion: 1 })
      expect(new Set((await read(copy, 'left')).map((row) => row.split('=')[1]))).toEqual(new Set(['old']))
      expect(await read(copy, 'right')).toEqual([])
      await copy.close()
    })

    for (const target of restored) {
      test(`is restored as ${target}, row for row and blob for blob`, async () => {
        const store = await open()
        await store.write([put('left', 'a', '1'), put('left', 'b', ''), put('right', '\xff', 'r')], synced)
        const blobs = await openBlobStore({ kind: 'memory', blobBytesMax: 4_000_000 })
        const contents = [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(1_500_000).fill(7)]
        const digests = await Promise.all(contents.map((bytes) => blobs.putUnknown(bytes)))
        const backup = await backupOf(store, { blobs })
        const folder = await freshFolder()
        const path = join(folder, 'store')
        const into = await openBlobStore({
          kind: 'file',
          path: join(folder, 'blobs'),
          blobBytesMax: 4_000_000,
        })
        // One is there already, and of one a part that is not its beginning.
        await into.putUnknown(contents[1] ?? new Uint8Array(0))
        const begun = await into.begin(digests[2] ?? ('' as never))
        if (begun.kind === 'upload') {
          await begun.upload.append(0, Uint8Array.of(9))
          await begun.upload.suspend()
        }
        const summary = await restoreStore(pieces(backup), { kind: target, path, blobs: into })
        expect(summary).toEqual({ rows: 4, blobs: 3, bytes: backup.byteLength })
        const copy = await openStore({ kind: target, path, tables, schemaVersion: 1 })
        expect(await read(copy, 'left')).toEqual(['a=1', 'b='])
        expect(await read(copy, 'right')).toEqual(['\xff=r'])
        await copy.write([put('left', 'c', '3')], synced)
        await copy.close()
        for (const [index, digest] of digests.entries()) {
          expect((await into.readAll(digest)).byteLength).toBe(contents[index]?.byteLength ?? -1)
        }
        await into.close()
        expect((await readdir(folder)).toSorted()).toEqual(['blobs', 'store'])
      })
    }
  })
}

describe('a backup that is not as it was written', () => {
  const { open } = openings('memory')

  async function small(): Promise<Uint8Array> {
    const store = await open()
    await store.write([put('left', 'a', '1'), put('right', 'b', '2')], synced)
    const blobs = await openBlobStore({ kind: 'memory', blobBytesMax: 100 })
    await blobs.putUnknown(Uint8Array.of(1, 2, 3))
    return backupOf(store, { blobs })
  }
  const refusal = async (bytes: Uint8Array): Promise<string> => {
    const error = await verifyBackup(pieces(bytes)).catch((reason: unknown) => reason)
    return error instanceof StoreError ? error.kind : `accepted: ${JSON.stringify(error)}`
  }

  test('is whole to begin with', async () => {
    const found = await verifyBackup(pieces(await small(), 7))
    expect(found).toMatchObject({ rows: 3, blobs: 1, header: { schemaVersion: 1, tables, epoch: 0 } })
  })

  test('cut at any byte, is truncated', async () => {
    const whole = await small()
    for (let length = 0; length < whole.byteLength; length += 1) {
      expect([length, await refusal(whole.subarray(0, length))]).toEqual([
        length,
        length < 8 ? 'backupForeign' : 'backupTruncated',
      ])
    }
  })

  test('changed in any byte, is named', async () => {
    const whole = await small()
    for (let at = 0; at < whole.byteLength; at += 1) {
      const bytes = whole.slice()
      bytes[at] = (bytes[at] ?? 0) ^ 0x41
      // A changed length may reach over the end.
      const expected = at < 8 ? ['backupForeign'] : ['backupChanged', 'backupTruncated']
      expect(expected).toContain(await refusal(bytes))
    }
  })

  test('with a byte behind its end, is changed', async () => {
    expect(await refusal(Uint8Array.of(...(await small()), 0))).toBe('backupChanged')
  })

  test('with sections that are whole but missing, twice or in another order, is changed', async () => {
    const whole = await small()
    const sections = split(whole)
    expect(sections.length).toBe(5)
    const [header, rows, blob, blobBytes, end] = sections
    for (const order of [
      [header, blob, blobBytes, end],
      [header, rows, end],
      [header, rows, rows, blob, blobBytes, end],
      [header, blob, blobBytes, rows, end],
      [rows, blob, blobBytes, end],
      [header, rows, blobBytes, end],
      [header, rows, blob, end],
      [header, header, rows, blob, blobBytes, end],
      [end],
    ]) {
      const joined = [whole.subarray(0, 8), ...order].flatMap((each) => (each === undefined ? [] : [each]))
      expect(await refusal(Uint8Array.from(Buffer.concat(joined)))).toBe('backupChanged')
    }
  })

  test.each([
    ['of another format', 'backupForeign', '{"format":2,"schemaVersion":1,"tables":[],"epoch":0}'],
    ['with a header that is no record', 'backupChanged', '[]'],
    ['with a header that is no JSON', 'backupChanged', '{'],
    ['with a broken version', 'backupChanged', '{"format":1,"schemaVersion":-1,"tables":[],"epoch":0}'],
    ['without tables', 'backupChanged', '{"format":1,"schemaVersion":1,"epoch":0}'],
  ] as const)('%s: %s', async (_, kind, header) => {
    expect(await refusal(await forged(['header', new TextEncoder().encode(header)]))).toBe(kind)
  })

  test.each([
    ['no row', [9, 9]],
    ['a deletion', [1, 0, 2, 0, 0, 0, 0, 1, 1]],
    ['a row without a key', [0, 0, 0, 0, 0, 0, 0]],
    ['a row that is cut short', [0, 0, 9, 0, 0, 0, 0, 1]],
    ['a row twice', [0, 0, 2, 0, 0, 0, 0, 1, 1, 0, 0, 2, 0, 0, 0, 0, 1, 1]],
    ['the place of a store', [0, 0, 6, 0, 0, 0, 0, 0, ...new TextEncoder().encode('place')]],
  ])('with rows that are none, well digested: %s', async (_, rows) => {
    const header = new TextEncoder().encode('{"format":1,"schemaVersion":1,"tables":["left"],"epoch":0}')
    expect(await refusal(await forged(['header', header], ['rows', Uint8Array.from(rows)]))).toBe(
      'backupChanged',
    )
  })

  test('leaves nothing where the store was asked for, and the next try may succeed', async () => {
    const whole = await small()
    const folder = await freshFolder()
    const path = join(folder, 'store')
    const blobs = await openBlobStore({ kind: 'memory', blobBytesMax: 100 })
    for (const kind of restored) {
      for (const cut of [whole.byteLength - 1, whole.byteLength - 150, 60]) {
        const call = restoreStore(pieces(whole.subarray(0, cut)), { kind, path, blobs })
        await expectKind(call, 'backupTruncated')
        expect(await readdir(folder)).toEqual([])
      }
    }
    await expectKind(restoreStore(pieces(whole), { kind: 'sqlite', path }), 'blobMissing')
    const failing = (async function* () {
      yield whole.subarray(0, 100)
      throw new Error('the connection broke')
    })()
    const broken = await restoreStore(failing, { kind: 'sqlite', path, blobs }).catch((error: Error) => error)
    expect(broken).toMatchObject({ message: 'the connection broke' })
    await mkdir(path)
    await mkdir(`${path}.restoring`)
    await writeFile(join(`${path}.restoring`, 'rows.sqlite'), 'left by an attempt that was killed')
    expect((await restoreStore(pieces(whole), { kind: 'sqlite', path, blobs })).rows).toBe(3)
  })

  test('never goes over data', async () => {
    const folder = await freshFolder()
    await writeFile(join(folder, 'precious'), 'x')
    const source = pieces(await small())
    await expectKind(restoreStore(source, { kind: 'sqlite', path: folder }), 'notEmpty')
    await expectKind(restoreStore(source, { kind: 'sqlite', path: join(folder, 'precious') }), 'notEmpty')
    expect(await readdir(folder)).toEqual(['precious'])
  })

  test('a header that speaks of another schema than the rows is refused', async () => {
    const store = await open()
    const backup = await backupOf(store)
    const [, rows, end] = split(backup)
    const rowBytes = rows?.slice(5, -32) ?? new Uint8Array(0)
    const header = new TextEncoder().encode(
      '{"format":1,"schemaVersion":2,"tables":["left","right"],"epoch":0}',
    )
    const rowDigest = end?.slice(5 + 16, 5 + 48) ?? new Uint8Array(0)
    const made = await forged(['header', header], ['rows', rowBytes], ['end', rowDigest])
    const path = join(await freshFolder(), 'store')
    await expectKind(restoreStore(pieces(made), { kind: 'sqlite', path }), 'backupChanged')
    expect(existsSync(path)).toBe(false)
  })
})

test('a backup file has its name only when it is whole', async () => {
  const folder = await freshFolder()
  const store = await openStore({ kind: 'memory', tables, columns: ['right'], schemaVersion: 1 })
  await store.write([put('left', 'a', '1')], synced)
  const file = join(folder, 'backup')
  const { bytes } = await backupToFile(store, file)
  expect(Bun.file(file).size).toBe(bytes)
  expect((await verifyBackup(Bun.file(file).stream())).rows).toBe(2)
  const blobs = await openBlobStore({ kind: 'memory', blobBytesMax: 10 })
  await blobs.close()
  await expectKind(backupToFile(store, join(folder, 'other'), { blobs }), 'closed')
  expect(await readdir(folder)).toEqual(['backup'])
  await store.close()
})

function renewed<Row extends { readonly value: Uint8Array }>(row: Row): Row {
  return { ...row, value: new TextEncoder().encode('new') }
}

/** The sections of a backup behind its first eight bytes. */
function split(backup: Uint8Array): Uint8Array[] {
  const sections: Uint8Array[] = []
  let at = 8
  while (at < backup.byteLength) {
    const length = new DataView(backup.buffer).getUint32(at + 1) + 37
    sections.push(backup.subarray(at, at + length))
    at += length
  }
  return sections
}

/** Sections with digests as they should be; an `end` is given its row digest and counts one section of rows. */
async function forged(
  ...sections: readonly (readonly ['header' | 'rows' | 'end', Uint8Array])[]
): Promise<Uint8Array> {
  const written: Uint8Array[] = []
  const writer = new SectionWriter((bytes) => void written.push(bytes))
  await writer.begin()
  for (const [kind, bytes] of sections) {
    if (kind !== 'end') await writer.write(kind, bytes)
    else {
      const end = new Uint8Array(80)
      end[7] = 1
      end.set(bytes, 16)
      end.set(writer.digest(), 48)
      await writer.write('end', end)
    }
  }
  return Uint8Array.from(Buffer.concat(written))
}
