import { afterEach, describe, expect, test } from 'bun:test'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expectKind, openings, put } from '../conformance.ts'
import { encodeOperations } from '../operations.ts'
import { openDatabase } from './database.ts'
import { toStoreError } from './failure.ts'
import { connectRocksdbEngine } from './rocksdbEngine.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

const batch = () => encodeOperations([{ kind: 'delete', table: 'any', key: Uint8Array.of(1) }], () => 1)

/** A database thread that opens and then comes to a bad end at the first write. */
function threadThat(ending: string): Worker {
  const source = `self.onmessage = ({ data: { id, request } }) => {
    if (request.kind === 'open') self.postMessage({ id, answer: { kind: 'done' } })
    if (request.kind === 'commit') { ${ending} }
  }`
  return new Worker(URL.createObjectURL(new Blob([source], { type: 'application/javascript' })))
}

describe('a database thread that ends by itself', () => {
  for (const [what, ending] of [
    ['throws', 'throw new Error("lost my mind")'],
    ['throws later', 'setTimeout(() => { throw new Error("lost my mind") }, 0)'],
    ['rejects', 'Promise.reject(new Error("lost my mind"))'],
    ['exits', 'process.exit(3)'],
  ] as const) {
    test(`${what}: everything pending is rejected, and so is everything after`, async () => {
      const engine = await connectRocksdbEngine(threadThat(ending), 'anywhere')
      const outcomes = await Promise.allSettled([
        engine.getMany([Uint8Array.of(1)]),
        engine.commit([batch()], true),
      ])
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'StoreError', kind: 'crashed' } })
      }
      await expectKind(engine.commit([batch()], true), 'crashed')
      await expectKind(engine.getMany([Uint8Array.of(1)]), 'crashed')
      const scan = engine.scan({ gte: Uint8Array.of(1), lt: Uint8Array.of(2), reverse: false })
      await expectKind(scan.next(1), 'crashed')
      await scan.close()
      await engine.close()
    })
  }
})

describe('what RocksDB and the platform say', () => {
  test('a binding that does not load names the platform and the way out', async () => {
    const load = () => Promise.reject(new Error('No native build was found'))
    const error = await expectKind(openDatabase('anywhere', load), 'unsupportedPlatform')
    expect(error.message).toContain(process.platform)
    expect(error.message).toContain('SQLite')
    expect(error.cause).toMatchObject({ message: 'No native build was found' })
  })

  test.each([
    ['IO error: No space left on device: While appending to file: 000004.log', undefined, 'diskFull'],
    ['IO error: Disk quota exceeded: While fdatasync', 'LEVEL_IO_ERROR', 'diskFull'],
    ['Invalid argument: Column families not opened: table253', undefined, 'schemaMismatch'],
    ['IO error: lock hold by current process', 'LEVEL_LOCKED', 'locked'],
    ['Corruption: checksum mismatch', 'LEVEL_CORRUPTION', 'corrupt'],
    ['Corruption: CURRENT file corrupted', undefined, 'corrupt'],
    ['IO error: Input/output error', 'LEVEL_IO_ERROR', 'failed'],
  ] as const)('%s', (text, code, kind) => {
    const wrapped = new Error('Database is not open', { cause: Object.assign(new Error(text), { code }) })
    const error = toStoreError('open x', wrapped)
    expect(error.kind).toBe(kind)
    expect(error.message).toContain(text)
  })
})

describe('damage on disk', () => {
  const { open, freshPath } = openings('rocksdb')

  test('is named when the store opens', async () => {
    const path = await freshPath()
    const store = await open(path)
    await store.write([put('left', 'a', '1')], { sync: true })
    await store.close()
    const manifest = (await readdir(path)).find((file) => file.startsWith('MANIFEST'))
    await writeFile(join(path, manifest ?? 'MANIFEST'), 'not a manifest')
    await expectKind(open(path), 'corrupt')
  })
})

describe('columns', () => {
  const load = () => import('@nxtedition/rocksdb')
  const encoding = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
  const options = {
    createIfMissing: true,
    compaction: 'level',
    memtableMemoryBudget: 1024 * 1024,
    cacheSize: 0,
    parallelism: 1,
    walCompression: false,
  } as const
  /** As a program wrote it that knew no columns. */
  async function writtenBefore(key: Uint8Array): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'shardy-store-'))
    folders.push(folder)
    const path = join(folder, 'store')
    const level = new (await load()).RocksLevel(path, encoding)
    await level.open(options)
    const batch = level.batch()
    batch._put(key, Uint8Array.of(7))
    await batch.write({ sync: true })
    await level.close()
    return path
  }

  test('a database from before there were any opens, and has its rows', async () => {
    const key = Uint8Array.of(250, 1)
    const path = await writtenBefore(key)
    for (let opened = 0; opened < 2; opened += 1) {
      const database = await openDatabase(path, load)
      expect(database.getMany([key, Uint8Array.of(251, 1)])).toEqual([Buffer.of(7), undefined])
      await database.close()
    }
  })

  test('rows that such a program put where they are not found are refused, not lost', async () => {
    const path = await writtenBefore(Uint8Array.of(251, 1))
    await expectKind(openDatabase(path, load), 'schemaMismatch')
    await expectKind(openDatabase(path, load), 'schemaMismatch')
  })

  test('a database with more of them is refused by name', async () => {
    const path = await writtenBefore(Uint8Array.of(1))
    const level = new (await load()).RocksLevel(path, encoding)
    await level.open({ ...options, columns: { default: options, table253: options } })
    await level.close()
    const error = await expectKind(openDatabase(path, load), 'schemaMismatch')
    expect(error.message).toContain('table253')
  })

  test('rows of a table whose number is above them are refused', async () => {
    const database = await openDatabase(await writtenBefore(Uint8Array.of(1)), load)
    expect(() => database.getMany([Uint8Array.of(253, 1)])).toThrow('no table number 253')
    await database.close()
  })
})

test('a failed opening leaves no thread and no lock behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shardy-store-'))
  folders.push(folder)
  const load = () => import('@nxtedition/rocksdb')
  const first = await openDatabase(join(folder, 'store'), load)
  await expectKind(openDatabase(join(folder, 'store'), load), 'locked')
  await first.close()
  await (await openDatabase(join(folder, 'store'), load)).close()
})
