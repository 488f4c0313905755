/** A store that schema 3's own program wrote, with tasks of every ending and two that were under way when it was copied. */
import { expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { RequesterId, TaskId, WorkerId } from '@shardy/protocol'
import {
  type BlobStore,
  type Operation,
  openBlobStore,
  openStore,
  restoreStore,
  type Store,
} from '@shardy/storage'
import { beginLife } from '../../test/crash/life.ts'
import { openLogged } from '../../test/crash/writeLog.ts'
import { type Death, runKilled } from '../../test/killedMigration.ts'
import { schemaVersion, type Table, tables } from '../tables.ts'
import { migrate } from './from3to4.ts'
import { migrations } from './index.ts'

setDefaultTimeout(60_000)

const fixture = path.join(import.meta.dir, '../../test/fixtures/schema3.backup')
const requesterId = '0228859b901f9f98d5627d7b4d2952e9ac2b5f95f58c564030f353bb02845691' as RequesterId
const ids = {
  verified: '8590f27c0b2fffb536688bc5b4f45912',
  digest: '911599f017d66a2f91b8d10026b222c3',
  dead: '6aee4b2f241253fc7648ace98131d57c',
  cancelled: '4cb732fd3f332ddbe8db242d1c96ae5d',
  running: '363fe2a6087c99aa06e421e5031bba0d',
  large: 'efe41530dc1e416e70c198bd0c42ad0a',
} as Readonly<Record<string, string>>
const earned = new Map<WorkerId, bigint>([
  ['4f5fed6a0642b50b874c6ade4c496bbc64f8788488600144f2a280347e32fba3' as WorkerId, 1502n],
  ['7593ab91d6887dc14dd0ced94a6e18f0d120fddb64f62b11aba202beaa1104da' as WorkerId, 1501n],
])
const oldTables = [
  'tasks',
  'liveTasks',
  'tasksByRequester',
  'deliveries',
  'events',
  'standings',
  'blobs',
  'references',
  'apiKeys',
  'audit',
  'policy',
  'deniedPrograms',
  'eventLog',
] as const

interface Restored {
  readonly folder: string
  readonly path: string
  readonly blobs: BlobStore
  remove(): Promise<void>
}

async function restore(): Promise<Restored> {
  const folder = await mkdtemp(path.join(tmpdir(), 'shardy-migration-'))
  const store = path.join(folder, 'store')
  const blobs = await openBlobStore({ kind: 'memory', blobBytesMax: 1024 * 1024 })
  await restoreStore(Bun.file(fixture).stream() as unknown as AsyncIterable<Uint8Array>, {
    kind: 'sqlite',
    path: store,
    blobs,
  })
  return { folder, path: store, blobs, remove: () => rm(folder, { recursive: true, force: true }) }
}

const openNew = (at: string): Promise<Store<Table>> =>
  openStore({ kind: 'sqlite', path: at, tables, schemaVersion, migrations })

test('what ended is told as before, what was under way is finished, and the book is at zero', async () => {
  const restored = await restore()
  try {
    const migrated = await openNew(restored.path)
    // The life is lived on a copy, which remembers its writes.
    const store = await openLogged()
    for (const table of tables) {
      for await (const { key, value } of migrated.iterate(table)) {
        await store.write([{ kind: 'put', table, key, value }], { sync: false })
      }
    }
    await migrated.close()
    const probe = await beginLife(await openLogged(store.writes), restored.blobs, 1)
    const startMs = ((await probe.task(ids.running as TaskId))?.spec.submittedAtMs ?? 0) + 5_000
    const life = await beginLife(store, restored.blobs, startMs)
    await life.advance(0)
    const { archive, bookkeeper, keeper } = life.orchestrator.services
    const { book } = bookkeeper
    expect(life.errors).toEqual([])

    const verified = await life.task(ids.verified as TaskId)
    expect(verified?.status).toBe('verified')
    expect(verified?.basis).toBe('agreement')
    expect(verified?.spec.verify).toEqual({ mode: 'quorum', replicas: 2, agreeing: 2, auditPermille: 0 })
    expect(
      verified?.deliveries.map(({ outcome, rewardMicroCredit }) => [outcome, rewardMicroCredit]),
    ).toEqual([
      ['accepted', 501n],
      ['accepted', 500n],
    ] as never)
    expect(verified?.history.map(({ type, attempt }) => `${type} ${attempt}`)).toEqual([
      'submitted 0',
      'delivered 1',
      'delivered 2',
      ...(verified?.history.slice(3, -1).map(({ type, attempt }) => `${type} ${attempt}`) ?? []),
      'task_verified 0',
    ])
    expect(
      verified?.history
        .filter(({ type }) => type === 'answered')
        .map(({ attempt }) => attempt)
        .sort(),
    ).toEqual([1, 2])
    if (verified?.outputDigest === undefined) throw new Error('a verified task has an output')
    expect((await keeper.bytes(verified.outputDigest)).length).toBe(verified.spec.outputLength)

    const dead = await archive.deadLetters(10, undefined)
    expect(dead.tasks.map(({ spec, mismatched }) => [spec.taskId, mismatched])).toEqual([
      [ids.dead as TaskId, true],
    ])
    expect((await life.task(ids.cancelled as TaskId))?.status).toBe('cancelled')
    expect((await archive.list({ requesterId, limit: 50 })).tasks).toHaveLength(7)

    expect(book.total()).toBe(0n)
    for (const [workerId, amount] of earned) {
      expect(book.balance({ kind: 'stake', workerId })).toBe(amount)
    }
    expect(book.balance({ kind: 'escrow', taskId: ids.running as TaskId })).toBe(777n + 39n)
    const standings = life.orchestrator.services.dispatcher.state().standings
    expect([...standings.values()].map(({ acceptedCount }) => acceptedCount)).toEqual([3, 3])

    for (const worker of [1, 2, 3]) await life.join(worker)
    for (let round = 0; round < 10; round++) {
      await life.work()
      await life.advance(1_000)
    }
    for (const id of [ids.running, ids.large])
      expect((await life.task(id as TaskId))?.status).toBe('verified')
    const running = await life.task(ids.running as TaskId)
    // One had answered before: its answer stayed good, and is paid.
    expect(running?.deliveries.map(({ outcome }) => outcome)).toContain('lost')
    expect(running?.deliveries.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(2)
    if (running?.outputDigest === undefined) throw new Error('a verified task has an output')
    expect((await keeper.bytes(running.outputDigest)).length).toBe(running.spec.outputLength)
    expect(book.balance({ kind: 'escrow', taskId: ids.running as TaskId })).toBe(0n)
    expect(book.balance({ kind: 'requester', requesterId })).toBe(0n)
    expect(book.total()).toBe(0n)
    expect(life.errors).toEqual([])
    await life.stop()
  } finally {
    await restored.remove()
  }
})

test('a migration that is killed behind or before any of its writes ends the same', async () => {
  const restored = await restore()
  try {
    const old = await openStore({ kind: 'sqlite', path: restored.path, tables: oldTables, schemaVersion: 3 })
    const all = [...new Set<string>([...oldTables, ...tables])]
    const before: Operation[] = []
    for (const table of oldTables) {
      for await (const { key, value } of old.iterate(table)) before.push({ kind: 'put', table, key, value })
    }
    await old.close()

    const run = async (deaths: (write: number) => Death): Promise<Map<string, string>> =>
      (await runKilled(all, before, deaths, (migrating) => migrate(migrating, 2))).rows

    const whole = await run(() => 'none')
    expect([...whole.keys()].filter((key) => key.startsWith('outbox/'))).toHaveLength(4)
    for (let at = 0; at < 6; at++) {
      for (const death of ['before', 'behind'] as const) {
        expect(await run((write) => (write === at ? death : 'none'))).toEqual(whole)
      }
    }
    expect(await run((write) => (write % 2 === 0 ? 'before' : 'behind'))).toEqual(whole)
  } finally {
    await restored.remove()
  }
})

test('a program without the migration refuses the store, and so does the old one afterwards', async () => {
  const restored = await restore()
  try {
    const open = openStore({ kind: 'sqlite', path: restored.path, tables, schemaVersion })
    expect(open).rejects.toThrow('schema')
    await open.catch(() => {})
    await (await openNew(restored.path)).close()
    const old = openStore({ kind: 'sqlite', path: restored.path, tables: oldTables, schemaVersion: 3 })
    expect(old).rejects.toThrow('newer program')
    await old.catch(() => {})
  } finally {
    await restored.remove()
  }
})
