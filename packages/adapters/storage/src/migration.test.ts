/** A store killed at any write of its migrations opens again as if it had not been, on every engine. */
import { afterEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytes, expectKind, openings, put, read, text } from './conformance.ts'
import type { Engine } from './engine.ts'
import { openMemoryEngine } from './memory.ts'
import type { Migration, MigrationStore } from './migration.ts'
import {
  killedAtWrite,
  migratedRows,
  rowsBefore,
  schemaAfter,
  steps,
  writeRowsBefore,
} from './migrationWriter.ts'
import { openEngine, openStore, type StoreKind } from './openStore.ts'
import { openTabledStore } from './tabledStore.ts'

const kinds = ['memory', 'sqlite', 'rocksdb'] as const
const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

for (const kind of kinds) {
  describe(`${kind} store: migrations`, () => {
    test('stopped at each write in turn, it ends as if it had run through', async () => {
      const writes = await migrateWithStops(kind, Number.POSITIVE_INFINITY)
      expect(writes).toBeGreaterThan(6)
      for (let stopAt = 1; stopAt <= writes; stopAt += 1) await migrateWithStops(kind, stopAt)
    }, 60_000)
  })
}

/** Opens anew after each stop, and stops `stopAt` writes later; the number of writes of the last run. */
async function migrateWithStops(kind: StoreKind, stopAt: number): Promise<number> {
  const reopen = await engines(kind)
  const first = await openTabledStore(await reopen(), { version: 3, tables: ['old', 'kept'] })
  await writeRowsBefore(first)
  await first.close()
  for (let opened = 0; opened < 50; opened += 1) {
    const engine = killedAtWrite(await reopen(), opened === 0 ? stopAt : Math.max(3, stopAt))
    const outcome = await openTabledStore(engine, { version: 5, ...schemaAfter }, steps).catch(
      (error: unknown) => error,
    )
    if (outcome instanceof Error) {
      expect(outcome.message).toBe('stopped here')
      // Half way, neither the old program nor one without the migrations may touch it.
      const old = openTabledStore(await reopen(), { version: 3, tables: ['old', 'kept', 'made'] })
      if (engine.writes() > 0) await expectKind(old, 'schemaMismatch')
      else await (await old).close()
      continue
    }
    const store = outcome as Awaited<ReturnType<typeof openTabledStore<'kept' | 'made'>>>
    expect(await rowsOf(store.iterate('made'))).toEqual(migratedRows(rowsBefore))
    expect(await rowsOf(store.iterate('kept'))).toEqual(['k=kept'])
    await store.close()
    return engine.writes()
  }
  throw new Error(`stopped every ${stopAt} writes, it never came to an end`)
}

async function rowsOf(rows: AsyncIterable<{ key: Uint8Array; value: Uint8Array }>): Promise<string[]> {
  const found: string[] = []
  for await (const { key, value } of rows) found.push(`${text(key)}=${text(value)}`)
  return found
}

/** The same bytes at each opening, also in memory. */
async function engines(kind: StoreKind): Promise<() => Promise<Engine>> {
  if (kind !== 'memory') {
    const folder = await mkdtemp(join(tmpdir(), 'shardy-migrate-'))
    folders.push(folder)
    return () => openEngine({ kind, path: join(folder, 'store') })
  }
  const kept = openMemoryEngine()
  return async () => ({
    getMany: (keys) => kept.getMany(keys),
    scan: (range) => kept.scan(range),
    view: () => kept.view(),
    commit: (batches, sync) => kept.commit(batches, sync),
    close: async () => {},
  })
}

for (const kind of ['sqlite', 'rocksdb'] as const) {
  describe(`${kind} store killed while it migrates`, () => {
    test('goes on where it was', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'shardy-migrate-'))
      folders.push(folder)
      const path = join(folder, 'store')
      const first = await openStore({ kind, path, tables: ['old', 'kept'], schemaVersion: 3 })
      await writeRowsBefore(first)
      await first.close()
      const writer = new URL('./migrationWriter.ts', import.meta.url).pathname
      for (const killAfter of [1, 2, 4]) {
        const child = Bun.spawn([process.execPath, writer, kind, path], { stdout: 'pipe', stderr: 'inherit' })
        let lines = 0
        for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
          lines += chunk.split('\n').length - 1
          if (lines >= killAfter || chunk.includes('opened')) child.kill('SIGKILL')
        }
        await child.exited
      }
      const store = await openStore({
        kind,
        path,
        ...schemaAfter,
        schemaVersion: 5,
        migrations: steps,
      })
      expect(await rowsOf(store.iterate('made'))).toEqual(migratedRows(rowsBefore))
      await store.close()
    }, 60_000)
  })
}

describe('which migrations run', () => {
  const { freshPath } = openings('sqlite')
  const nothing = async (store: MigrationStore): Promise<void> => store.write([], bytes('done'))
  const step = (from: number, to: number, migrate = nothing): Migration => ({ from, to, migrate })
  const tables = ['left', 'right'] as const
  const openAt = (path: string, schemaVersion: number, migrations: readonly Migration[] = []) =>
    openStore({ kind: 'sqlite', path, tables, schemaVersion, migrations })

  test('none on a new store, and none twice', async () => {
    const path = await freshPath()
    const never = step(1, 2, () => Promise.reject(new Error('ran')))
    await (await openAt(path, 2, [never])).close()
    await (await openAt(path, 2, [never])).close()
  })

  test('each in its turn, and the store is of the new version afterwards', async () => {
    const path = await freshPath()
    const first = await openAt(path, 1)
    await first.write([put('left', 'a', '1')], { sync: true })
    await first.close()
    const ran: number[] = []
    const noted = (from: number, to: number) =>
      step(from, to, async () => {
        ran.push(from)
      })
    const store = await openAt(path, 4, [noted(3, 4), noted(1, 3), noted(2, 4)])
    expect(ran).toEqual([1, 3])
    expect(await read(store, 'left')).toEqual(['a=1'])
    await store.close()
    await expectKind(openAt(path, 3), 'schemaMismatch')
    await (await openAt(path, 4)).close()
  })

  test('tables that one of them drops are there for those before it, also in a store that never had them', async () => {
    const path = await freshPath()
    const first = await openStore({ kind: 'sqlite', path, tables: ['left'], schemaVersion: 1 })
    await first.write([{ kind: 'put', table: 'left', key: bytes('a'), value: bytes('1') }], { sync: true })
    await first.close()
    const moving = (from: number, source: string, target: string, drops: readonly string[]): Migration => ({
      from,
      to: from + 1,
      drops,
      async migrate(store) {
        for await (const { key, value } of store.iterate(source)) {
          await store.write([{ kind: 'put', table: target, key, value }], key)
        }
      },
    })
    const migrations = [moving(1, 'left', 'between', ['left']), moving(2, 'between', 'right', ['between'])]
    const after = { kind: 'sqlite', path, tables: ['right'], schemaVersion: 3, migrations } as const
    for (let opened = 0; opened < 2; opened += 1) {
      const store = await openStore({ ...after, columns: ['right'] })
      expect(await rowsOf(store.iterate('right'))).toEqual(['a=1'])
      await store.close()
    }
  })

  test('a gap is named before anything runs', async () => {
    const path = await freshPath()
    await (await openAt(path, 1)).close()
    const error = await expectKind(openAt(path, 4, [step(1, 2), step(3, 4)]), 'schemaMismatch')
    expect(error.message).toContain('no migration from 2')
    await (await openAt(path, 1)).close()
  })

  test('a newer store is refused, with both versions named', async () => {
    const path = await freshPath()
    await (await openAt(path, 7)).close()
    const error = await expectKind(openAt(path, 4, [step(1, 4)]), 'schemaMismatch')
    expect(error.message).toContain('version 7, this program needs 4')
  })

  test('one that fails leaves the store to the next try, and the program that began it', async () => {
    const path = await freshPath()
    await (await openAt(path, 1)).close()
    const failing = step(1, 3, () => Promise.reject(new Error('a bug')))
    expect(await openAt(path, 3, [failing]).catch((error: Error) => error.message)).toBe('a bug')
    await expectKind(openAt(path, 1), 'schemaMismatch')
    await expectKind(openAt(path, 3, [step(1, 2), step(2, 3)]), 'schemaMismatch')
    await (await openAt(path, 3, [step(1, 3)])).close()
  })

  for (const [what, wrong] of [
    ['one that goes down', [step(2, 1)]],
    ['one to itself', [step(1, 1)]],
    ['one above the schema', [step(1, 9)]],
    ['two from one version', [step(1, 2), step(1, 3)]],
  ] as const) {
    test(`${what} is refused`, async () => {
      await expectKind(openAt(await freshPath(), 3, wrong), 'schemaMismatch')
    })
  }

  test('an empty cursor is refused, since it would look like a beginning', async () => {
    const path = await freshPath()
    await (await openAt(path, 1)).close()
    const blank = step(1, 2, (store) => store.write([], new Uint8Array(0)))
    await expectKind(openAt(path, 2, [blank]), 'keyOutOfBounds')
  })
})
