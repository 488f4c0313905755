/**
 * A store that schema 4's own program wrote: ended tasks with and without outputs of their own, one with answers that wait for
 * others, one that is out and one that nobody has taken yet.
 */
import { expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TaskRecord } from '@shardy/dispatch'
import type { RequesterId, TaskId, TimeMs } from '@shardy/protocol'
import {
  type BlobStore,
  type Operation,
  openBlobStore,
  openStore,
  restoreStore,
  type Store,
} from '@shardy/storage'
import { beginLife, digestOf } from '../../test/crash/life.ts'
import { openLogged } from '../../test/crash/writeLog.ts'
import { type Death, rowsOf, runKilled, type Survived } from '../../test/killedMigration.ts'
import { columns, idKey, payloadKey, requesterKey, schemaVersion, type Table, tables } from '../tables.ts'
import { migrate } from './from4to5.ts'
import { migrations } from './index.ts'

setDefaultTimeout(60_000)

const fixture = path.join(import.meta.dir, '../../test/fixtures/schema4.backup')
const ids = {
  checked: '176aab0f69d57fe843522a492a46ca8a',
  quorum: '3f0c140f78c720f588503f30a7374d0e',
  digest: 'd23855fbd50a9e929c80c2a9dc9c2bfe',
  large: '6ee845f81a656725b2497e5787d59cb2',
  dead: 'a512fc5470f3e15e29f73e46a8480f6f',
  cancelled: '1ad82bcb8fa3639a87c5a902a1528237',
  half: '88353ebcba304d477dc1812c9b09dd11',
  running: 'bcfef68f0e33906d47e033c28b958141',
  waiting: '00ba59cc509df0a1baf31bf867282346',
} as unknown as Readonly<Record<string, TaskId>>
const oldTables = [
  ...tables.filter((table) => table !== 'taskInputs' && table !== 'taskOutputs'),
  'inputs',
  'outputs',
] as const
const all = [...tables, 'inputs', 'outputs'] as const
type OldTable = (typeof oldTables)[number]

interface Restored {
  readonly path: string
  readonly blobs: BlobStore
  remove(): Promise<void>
}

async function restore(kind: 'sqlite' | 'rocksdb' = 'sqlite'): Promise<Restored> {
  const folder = await mkdtemp(path.join(tmpdir(), 'shardy-migration-'))
  const store = path.join(folder, 'store')
  const blobs = await openBlobStore({ kind: 'memory', blobBytesMax: 1024 * 1024 })
  await restoreStore(Bun.file(fixture).stream() as unknown as AsyncIterable<Uint8Array>, {
    kind,
    path: store,
    blobs,
  })
  return { path: store, blobs, remove: () => rm(folder, { recursive: true, force: true }) }
}

for (const kind of ['sqlite', 'rocksdb'] as const) {
  test(`${kind}: inputs, outputs and answers are found where they are now, and what was open is finished`, async () => {
    const restored = await restore(kind)
    try {
      const migrated = await openStore({
        kind,
        path: restored.path,
        tables,
        columns,
        schemaVersion,
        migrations,
      })
      // The life is lived on a copy, which remembers its writes, and begins before the deadlines of what is open.
      const store = await openLogged()
      for (const table of tables) {
        for await (const { key, value } of migrated.iterate(table)) {
          await store.write([{ kind: 'put', table, key, value }], { sync: false })
        }
      }
      await migrated.close()
      const life = await beginLife(store, restored.blobs, 1_900_001_000_000)
      const { payloads, keeper, dispatcher } = life.orchestrator.services
      const taskOf = async (name: string): Promise<TaskRecord> => {
        const task = await life.task(ids[name] as TaskId)
        if (task === undefined) throw new Error(`${name} is not there`)
        return task
      }
      const outputOf = async ({ spec, outputDigest }: TaskRecord): Promise<Uint8Array> =>
        (await store.get('taskOutputs', payloadKey(spec))) ?? keeper.bytes(outputDigest as never)

      for (const name of Object.keys(ids)) {
        const { spec } = await taskOf(name)
        const input = await store.get('taskInputs', payloadKey(spec))
        expect([name, input && digestOf(input)]).toEqual([name, spec.inputDigest])
        expect(await payloads.input(spec)).toEqual(input as Uint8Array)
      }
      for (const name of ['checked', 'quorum', 'large']) {
        const task = await taskOf(name)
        expect([name, digestOf(await outputOf(task))]).toEqual([name, task.outputDigest as never])
      }
      for (const name of ['digest', 'dead', 'cancelled']) {
        expect(await store.get('taskOutputs', payloadKey((await taskOf(name)).spec))).toBeUndefined()
      }
      // The answers that were on disk are in memory again: nobody computes them a second time.
      const waiting = [...dispatcher.state().deliveries.values()].filter(({ state }) => state === 'answered')
      expect(waiting.map(({ task }) => task.spec.taskId)).toEqual([ids.half, ids.half] as TaskId[])
      for (const { deliveryId, outputDigest } of waiting) {
        expect(digestOf(payloads.answer(deliveryId)?.output ?? new Uint8Array(0))).toBe(outputDigest as never)
      }

      for (const worker of [1, 2, 3, 4, 5, 6, 7]) await life.join(worker)
      for (let round = 0; round < 10; round++) {
        await life.work()
        await life.advance(1_000)
      }
      for (const name of ['half', 'running', 'waiting']) {
        const task = await taskOf(name)
        expect([name, task.status, digestOf(await outputOf(task))]).toEqual([
          name,
          'verified',
          task.outputDigest as never,
        ])
      }
      // The answers went when their task ended; what is left is one output for each that has one.
      const outputs = await rowsOf(store as unknown as Store<string>, ['taskOutputs'])
      expect([...outputs.keys()].map((key) => key.split('/')[1]?.length)).toEqual(
        Array.from({ length: outputs.size }, () => 48),
      )
      expect(life.errors).toEqual([])
      await life.stop()
    } finally {
      await restored.remove()
    }
  })
}

/** All rows of the store as it was, for runs that begin there. */
async function before(): Promise<Operation<OldTable>[]> {
  const restored = await restore()
  try {
    const old = await openStore({ kind: 'sqlite', path: restored.path, tables: oldTables, schemaVersion: 4 })
    const operations: Operation<OldTable>[] = []
    for (const table of oldTables) {
      for await (const { key, value } of old.iterate(table))
        operations.push({ kind: 'put', table, key, value })
    }
    await old.close()
    return operations
  } finally {
    await restored.remove()
  }
}

const run = (
  rows: readonly Operation<OldTable>[],
  deaths: (write: number) => Death,
  tasksAtOnce = 3,
  bytesAtOnce = 100,
): Promise<Survived> =>
  runKilled(all, rows, deaths, (migrating) => migrate(migrating, tasksAtOnce, bytesAtOnce))

const named = (rows: ReadonlyMap<string, string>, table: string): string[] =>
  [...rows.keys()].filter((key) => key.startsWith(`${table}/`))

test('a migration that is killed behind or before any of its writes ends the same', async () => {
  const rows = await before()
  const whole = await run(rows, () => 'none')
  expect(named(whole.rows, 'taskInputs')).toHaveLength(10)
  expect(named(whole.rows, 'taskOutputs')).toHaveLength(5)
  expect([...named(whole.rows, 'inputs'), ...named(whole.rows, 'outputs')]).toEqual([])
  expect(whole.writes).toBeGreaterThan(4)
  for (let at = 0; at < whole.writes; at++) {
    for (const death of ['before', 'behind'] as const) {
      expect((await run(rows, (write) => (write === at ? death : 'none'))).rows).toEqual(whole.rows)
    }
  }
  expect((await run(rows, (write) => (write % 2 === 0 ? 'before' : 'behind'))).rows).toEqual(whole.rows)
  // However much is moved at a time.
  expect((await run(rows, () => 'none', 100, 1024 * 1024)).rows).toEqual(whole.rows)
})

test('what lies beside no task is left behind, and a task with nothing beside it is no error', async () => {
  const requesterId = 'aa'.repeat(32) as RequesterId
  const taskId = '01'.repeat(16) as TaskId
  const put = (table: OldTable, key: Uint8Array): Operation<OldTable> => ({
    kind: 'put',
    table,
    key,
    value: Uint8Array.of(1),
  })
  const rows = [
    put('tasksByRequester', requesterKey(requesterId, 7 as TimeMs, taskId)),
    put('inputs', idKey('02'.repeat(16))),
  ]
  const { rows: after } = await run(rows, () => 'none')
  expect(named(after, 'inputs')).toHaveLength(1)
  expect(named(after, 'taskInputs')).toEqual([])
})

test('a store of schema 4 is refused without the migration, and the old program refuses it afterwards', async () => {
  const restored = await restore()
  const { path: at } = restored
  try {
    const without = { kind: 'sqlite', path: at, tables: all, schemaVersion } as const
    await expect(openStore(without)).rejects.toThrow('no migration from 4')
    await (await openStore<Table>({ kind: 'sqlite', path: at, tables, schemaVersion, migrations })).close()
    const old = { kind: 'sqlite', path: at, tables: oldTables, schemaVersion: 4 } as const
    await expect(openStore(old)).rejects.toThrow('newer program')
  } finally {
    await restored.remove()
  }
})
