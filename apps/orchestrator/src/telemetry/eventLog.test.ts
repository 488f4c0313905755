import { describe, expect, test } from 'bun:test'
import type { RequesterId, TimeMs } from '@shardy/protocol'
import type { Store } from '@shardy/storage'
import fc from 'fast-check'
import { createManualClock } from '../../test/manualClock.ts'
import { openMemoryStore } from '../../test/network.ts'
import { commit, record, streamRecordOf, until } from '../../test/streamRecords.ts'
import { numberKey, type Table } from '../tables.ts'
import {
  type Appending,
  defaultEventLogPolicy,
  type EventLog,
  type EventLogPolicy,
  openEventLog,
} from './eventLog.ts'
import { type Following, follow } from './follower.ts'

const marksOf = (events: readonly { readonly record: { readonly detail: string } }[]): number[] =>
  events.map(({ record: { detail } }) => Number(detail))
const records = (from: number, count: number, atMs = 1_000) =>
  Array.from({ length: count }, (_, index) => streamRecordOf(from + index, { atMs: atMs as TimeMs }))
const small = (policy: Partial<EventLogPolicy>): EventLogPolicy => ({ ...defaultEventLogPolicy, ...policy })

/** Everything after a cursor, page by page. */
async function readAll(log: EventLog, after: number): Promise<{ marks: number[]; cursor: number }> {
  const marks: number[] = []
  let cursor = after
  while (cursor < log.newest()) {
    const page = await log.read(cursor)
    if (page.kind === 'cursorTooOld') throw new Error('too old')
    expect(page.cursor).toBeGreaterThan(cursor)
    marks.push(...marksOf(page.events))
    cursor = page.cursor
  }
  return { marks, cursor }
}

async function rowBytes(store: Store<Table>): Promise<number> {
  let bytes = 0
  for await (const { value } of store.iterate('eventLog', { gte: numberKey(1) })) bytes += value.length
  return bytes
}

async function logOf(policy: Partial<EventLogPolicy> = {}) {
  const store = await openMemoryStore()
  return { store, log: await openEventLog(store, small(policy)) }
}

describe('the event log', () => {
  test('shows an event once it is durable, and not before', async () => {
    const { store, log } = await logOf()
    const appending = log.append(records(1, 3))
    expect(appending.operations).toHaveLength(1)
    expect([log.newest(), await log.read(0)]).toEqual([0, { kind: 'events', events: [], cursor: 0 }])
    await store.write(appending.operations, { sync: true })
    expect(log.newest()).toBe(0)
    appending.committed()
    expect(await readAll(log, 0)).toEqual({ marks: [1, 2, 3], cursor: 3 })
  })

  test('keeps the order of the calls when commits are told out of order', async () => {
    const { store, log } = await logOf()
    const [first, second, third] = [1, 2, 3].map((mark) => log.append(records(mark, 1))) as [
      Appending,
      Appending,
      Appending,
    ]
    for (const each of [first, third]) await store.write(each.operations, { sync: true })
    third.committed()
    expect(log.newest()).toBe(0)
    first.committed()
    expect(log.newest()).toBe(1)
    second.abandoned()
    // The one that was given up leaves a hole, and nobody waits for it.
    expect(await readAll(log, 0)).toEqual({ marks: [1, 3], cursor: 3 })
    expect(await readAll(await openEventLog(store), 0)).toEqual({ marks: [1, 3], cursor: 3 })
    expect(() => third.committed()).toThrow(/known already/)
  })

  test('what was given up at the very beginning is no loss either', async () => {
    const { store, log } = await logOf()
    log.append(records(1, 2)).abandoned()
    await record(store, log, records(3, 1))
    const again = await openEventLog(store)
    expect(again.oldestCursor()).toBe(0)
    expect((await readAll(again, 0)).marks).toEqual([3])
  })

  test('what is in the store and not told yet is not read from there either', async () => {
    const { store, log } = await logOf({ recentMax: 1 })
    for (let mark = 1; mark <= 2; mark++) await record(store, log, records(mark, 1))
    const appending = log.append(records(3, 1))
    await store.write(appending.operations, { sync: true })
    expect(await log.read(0)).toMatchObject({ events: [{ sequence: 1 }, { sequence: 2 }], cursor: 2 })
    appending.committed()
    expect((await readAll(log, 0)).marks).toEqual([1, 2, 3])
  })

  test('an empty batch writes nothing', async () => {
    const { log } = await logOf()
    const appending = log.append([])
    expect(appending.operations).toEqual([])
    appending.committed()
    expect(log.newest()).toBe(0)
  })

  test('a large commit has several rows, seen together', async () => {
    const { store, log } = await logOf()
    const appending = log.append(records(1, 3_000))
    expect(appending.operations).toHaveLength(3)
    await commit(store, appending)
    const marks = records(1, 3_000).map(({ detail }) => Number(detail))
    expect((await readAll(log, 0)).marks).toEqual(marks)
    const again = await openEventLog(store)
    for (const after of [0, 1, 1_023, 1_024, 1_025, 2_999, 3_000]) {
      expect((await readAll(again, after)).marks).toEqual(marks.slice(after))
    }
  })

  test('goes on after a restart, from memory and from the store alike', async () => {
    const { store, log } = await logOf({ recentMax: 4 })
    for (let mark = 1; mark <= 9; mark++) await record(store, log, records(mark, 1))
    const again = await openEventLog(store, small({ recentMax: 4 }))
    expect([again.newest(), again.oldestCursor()]).toEqual([9, 0])
    await record(store, again, records(10, 2))
    const all = Array.from({ length: 11 }, (_, index) => index + 1)
    for (let after = 0; after <= 11; after++) {
      expect((await readAll(again, after)).marks).toEqual(all.slice(after))
      if (after <= 9) expect((await readAll(log, after)).marks).toEqual(all.slice(after, 9))
    }
  })
})

describe('retention', () => {
  test('lets go of what is too old, in bounded steps, and never of the newest row', async () => {
    const { store, log } = await logOf({ ageMsMax: 100 })
    for (let mark = 1; mark <= 200; mark++) await record(store, log, records(mark, 1, mark))
    expect(await log.compact(100 as TimeMs)).toBe(false)
    expect(log.oldestCursor()).toBe(0)
    expect(await log.compact(250 as TimeMs)).toBe(true)
    expect(log.oldestCursor()).toBe(64)
    while (await log.compact(250 as TimeMs));
    expect(log.oldestCursor()).toBe(149)
    expect(await log.read(148)).toEqual({ kind: 'cursorTooOld', oldestCursor: 149 })
    expect((await readAll(log, 149)).marks).toHaveLength(51)
    while (await log.compact(10_000 as TimeMs));
    expect([log.oldestCursor(), log.newest()]).toEqual([199, 200])
    const again = await openEventLog(store)
    expect([again.oldestCursor(), again.newest()]).toEqual([199, 200])
    await record(store, again, records(201, 1))
    expect((await readAll(again, 199)).marks).toEqual([200, 201])
  })

  test('lets go of the oldest when there are too many bytes, and counts them again after a restart', async () => {
    const { store, log } = await logOf({ bytesMax: 1_000 })
    for (let mark = 1; mark <= 100; mark++) await record(store, log, records(mark, 1))
    expect(log.keptBytes()).toBe(await rowBytes(store))
    while (await log.compact(1_000 as TimeMs));
    expect(log.keptBytes()).toBeLessThanOrEqual(1_000)
    expect(log.keptBytes()).toBeGreaterThan(800)
    expect(log.keptBytes()).toBe(await rowBytes(store))
    expect((await openEventLog(store)).keptBytes()).toBe(log.keptBytes())
  })

  test('tells who reads while rows go that it came too late, and never of a gap', async () => {
    const { store, log } = await logOf({ ageMsMax: 0 })
    for (let mark = 1; mark <= 50; mark++) await record(store, log, records(mark, 1))
    const reopened = await openEventLog(store, small({ ageMsMax: 0 }))
    const reading = reopened.read(0)
    const compacting = reopened.compact(10_000 as TimeMs)
    const page = await reading
    await compacting
    if (page.kind === 'events') expect(marksOf(page.events)[0]).toBe(1)
    else expect(page.oldestCursor).toBe(49)
    expect(await reopened.read(10)).toMatchObject({ kind: 'cursorTooOld' })
  })
})

const everything = {
  kind: 'everything',
  requesterId: 'aa'.repeat(32) as RequesterId,
  isAllowed: () => true,
} as const

interface Reader {
  following: Following | undefined
  /** What this reader has: sequences with their marks, in the order in which they came. */
  seen: { sequence: number; mark: number }[]
}

/** Everything that can happen to a log and its readers, drawn by fast-check. */
const happenings = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 0, max: 7 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('abandon' as const), count: fc.integer({ min: 1, max: 3 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('burst' as const),
        count: fc.integer({ min: 500, max: 1_500 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('break' as const), reader: fc.nat(2) }) },
    /** Comes back with a cursor that it had some time ago. */
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('follow' as const), reader: fc.nat(2), back: fc.nat(40) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  ),
  { maxLength: 60 },
)

test('each reader gets each event once and in order, wherever lines break and whenever the process restarts', async () => {
  await fc.assert(
    fc.asyncProperty(happenings, fc.constantFrom(4, 64, 16_384), async (steps, recentMax) => {
      const store: Store<Table> = await openMemoryStore()
      const clock = createManualClock()
      const policy = small({ recentMax })
      let log = await openEventLog(store, policy)
      const written: number[] = []
      let mark = 0
      const readers: Reader[] = Array.from({ length: 3 }, () => ({ following: undefined, seen: [] }))

      const leave = (reader: Reader): void => {
        reader.following?.leave()
        reader.following = undefined
      }
      function join(reader: Reader, back: number): void {
        leave(reader)
        reader.seen = reader.seen.slice(0, Math.max(0, reader.seen.length - back))
        const after = reader.seen.at(-1)?.sequence ?? 0
        const asked = { viewer: everything, after, types: undefined, isLive: true }
        const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
        const failed = (error: unknown): never => {
          throw error
        }
        // What comes for a reader that has gone meanwhile must not reach it.
        let isMine = true
        const following = follow({ log, clock, turn, failed }, asked, {
          send(events) {
            if (!isMine) throw new Error('sent on a line that is gone')
            for (const { sequence, record } of events) {
              reader.seen.push({ sequence, mark: Number(record.detail) })
            }
          },
          heartbeat() {},
          drained: () => undefined,
          end(reason) {
            throw new Error(`ended: ${reason}`)
          },
        })
        reader.following = {
          ...following,
          leave() {
            isMine = false
            following.leave()
          },
        }
      }

      for (const step of steps) {
        switch (step.kind) {
          case 'append':
          case 'burst': {
            const marks = Array.from({ length: step.count }, () => ++mark)
            await record(
              store,
              log,
              marks.map((each) => streamRecordOf(each)),
            )
            written.push(...marks)
            break
          }
          case 'abandon':
            log.append(records(1_000_000, step.count)).abandoned()
            break
          case 'restart': {
            // Durable, but the process ended before anybody was told.
            const last = ++mark
            await store.write(log.append([streamRecordOf(last)]).operations, { sync: true })
            written.push(last)
            // And one that never reached the disk.
            log.append(records(2_000_000, 2))
            for (const reader of readers) leave(reader)
            log = await openEventLog(store, policy)
            break
          }
          case 'break':
            leave(readers[step.reader] as Reader)
            break
          case 'follow':
            join(readers[step.reader] as Reader, step.back)
            break
          case 'turn':
            await new Promise((resolve) => setImmediate(resolve))
            break
        }
      }
      for (const reader of readers) {
        if (reader.following === undefined) join(reader, 0)
        await until(() => (reader.seen.at(-1)?.mark ?? 0) === (written.at(-1) ?? 0))
        leave(reader)
        expect(reader.seen.map((each) => each.mark)).toEqual(written)
        const sequences = reader.seen.map(({ sequence }) => sequence)
        expect(sequences).toEqual([...new Set(sequences)].sort((left, right) => left - right))
      }
    }),
    { numRuns: 100 },
  )
})
