/** One reader at a time, on a line that the test opens and shuts. */
import { expect, test } from 'bun:test'
import type { RequesterId, TimeMs } from '@shardy/protocol'
import { createManualClock } from '../../test/manualClock.ts'
import { openMemoryStore } from '../../test/network.ts'
import { record, requesterIds, streamRecordOf, until } from '../../test/streamRecords.ts'
import { silentLog } from '../log.ts'
import { defaultEventLogPolicy, openEventLog } from './eventLog.ts'
import { type Asked, type FollowerLine, follow, quietMs, stalledMsMax } from './follower.ts'
import { createFollowers } from './followers.ts'
import { createMetrics } from './metrics.ts'

const [own, foreign] = requesterIds
const everything = { kind: 'everything', requesterId: own as RequesterId, isAllowed: () => true } as const

async function open(asked: Partial<Asked> = {}, policy = defaultEventLogPolicy) {
  const store = await openMemoryStore()
  const log = await openEventLog(store, policy)
  const clock = createManualClock()
  const marks: number[] = []
  const said: string[] = []
  let room: { readonly drained: Promise<void>; readonly open: () => void } | undefined
  const line: FollowerLine = {
    send: (events) => void marks.push(...events.map((event) => Number(event.record.detail))),
    heartbeat: (cursor) => void said.push(`heartbeat ${cursor}`),
    drained: () => room?.drained,
    end: (reason, cursor) => void said.push(`${reason} ${cursor}`),
  }
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  const failed = (error: unknown) => void said.push(String(error))
  const whole: Asked = { viewer: everything, after: 0, types: undefined, isLive: true, ...asked }
  const begin = () => follow({ log, clock, turn, failed }, whole, line)
  const shut = (): void => {
    const { promise, resolve } = Promise.withResolvers<void>()
    room = {
      drained: promise,
      open() {
        room = undefined
        resolve()
      },
    }
  }
  const write = (mark: number, more = {}) => record(store, log, [streamRecordOf(mark, more)])
  return { store, log, clock, marks, said, begin, write, shut, openAgain: () => room?.open() }
}

test('a requester gets what is its own, whoever else is busy', async () => {
  const { begin, write, marks, said, log } = await open({
    viewer: { kind: 'own', requesterId: own as never, isAllowed: () => true },
  })
  const following = begin()
  for (let mark = 1; mark <= 6; mark++) {
    const requesterId = [own, foreign, undefined][mark % 3]
    await write(mark, { requesterId })
  }
  await until(() => marks.length === 2)
  following.end('stopping')
  await following.ended
  expect(marks).toEqual([3, 6])
  expect(said).toEqual([`stopping ${log.newest()}`])
})

test('a reader whose key is revoked gets nothing more', async () => {
  let isAllowed = true
  const { begin, write, marks, said } = await open({
    viewer: { ...everything, isAllowed: () => isAllowed },
  })
  const following = begin()
  await write(1)
  await until(() => marks.length === 1)
  isAllowed = false
  await write(2)
  await following.ended
  expect([marks, said]).toEqual([[1], ['notAllowed 1']])
})

test('events without a requester are for those who see everything', async () => {
  const { begin, write, marks } = await open()
  begin()
  await write(1, { requesterId: undefined, taskId: undefined, type: 'quarantined' })
  await until(() => marks.length === 1)
})

test('only the types that were asked for', async () => {
  const { begin, write, marks } = await open({ types: new Set(['task_verified']), isLive: false })
  await write(1)
  await write(2, { type: 'task_verified' })
  await write(3)
  await begin().ended
  expect(marks).toEqual([2])
})

test('who wants what is there already is let go after it', async () => {
  const { begin, write, marks, said } = await open({ isLive: false, after: 1 })
  for (let mark = 1; mark <= 3; mark++) await write(mark)
  await begin().ended
  expect([marks, said]).toEqual([[2, 3], ['caughtUp 3']])
})

test('a quiet line is told how far it has come', async () => {
  const { begin, write, said, clock } = await open({ types: new Set(['slashed']) })
  const following = begin()
  await write(1)
  await until(() => true)
  clock.advance(quietMs)
  await until(() => said.length === 1)
  await write(2)
  clock.advance(quietMs)
  await until(() => said.length === 2)
  expect(said).toEqual(['heartbeat 1', 'heartbeat 2'])
  following.leave()
  await following.ended
  clock.advance(10 * quietMs)
  expect(said).toHaveLength(2)
})

test('a full line holds nothing but a page, and goes on where it was when it has room', async () => {
  const { begin, write, marks, shut, openAgain, store, log } = await open()
  await write(1)
  shut()
  const following = begin()
  await until(() => marks.length === 1)
  await record(
    store,
    log,
    Array.from({ length: 2_000 }, (_, index) => streamRecordOf(index + 2)),
  )
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(marks).toEqual([1])
  openAgain()
  await until(() => marks.length === 2_001)
  expect(marks).toEqual(Array.from({ length: 2_001 }, (_, index) => index + 1))
  following.leave()
  await following.ended
})

test('a line that stays full is ended with its reason and the cursor to come back with', async () => {
  const { begin, write, marks, said, shut, clock } = await open()
  await write(1)
  shut()
  const following = begin()
  await until(() => marks.length === 1)
  await write(2)
  clock.advance(stalledMsMax - 1)
  await until(() => true)
  expect(said).toEqual([])
  clock.advance(1)
  await following.ended
  expect([marks, said]).toEqual([[1], ['slowConsumer 1']])
})

test('a line that goes while it is full leaves nothing behind', async () => {
  const { begin, write, marks, said, shut } = await open()
  await write(1)
  shut()
  const following = begin()
  await until(() => marks.length === 1)
  following.leave()
  await following.ended
  expect(said).toEqual([])
})

test('a reader that retention has overtaken is told so', async () => {
  const { begin, write, marks, said, shut, openAgain, log } = await open(
    {},
    { ...defaultEventLogPolicy, ageMsMax: 0 },
  )
  await write(1)
  shut()
  const following = begin()
  await until(() => marks.length === 1)
  for (let mark = 2; mark <= 5; mark++) await write(mark)
  await log.compact(1_000_000 as TimeMs)
  openAgain()
  await following.ended
  expect([marks, said]).toEqual([[1], ['cursorTooOld 1']])
})

test('a store that fails ends the stream, and the reader may come back', async () => {
  const { begin, write, said, store, log } = await open(
    { after: 0 },
    { ...defaultEventLogPolicy, recentMax: 1 },
  )
  for (let mark = 1; mark <= 3; mark++) await write(mark)
  await store.close()
  expect(log.newest()).toBe(3)
  await begin().ended
  expect(said[0]).toContain('closed')
  expect(said[1]).toBe('failed 0')
})

test('there is room for so many, and at the end all are told', async () => {
  const { log, clock } = await open()
  const metrics = createMetrics()
  const followers = createFollowers(
    { events: log, clock, log: silentLog, metrics },
    { followersMax: 2, reserved: 0 },
  )
  const ends: string[] = []
  const line: FollowerLine = {
    send() {},
    heartbeat() {},
    drained: () => undefined,
    end: (reason) => void ends.push(reason),
  }
  const asked: Asked = { viewer: everything, after: 0, types: undefined, isLive: true }
  const first = followers.open('sse', asked, line)
  followers.open('websocket', asked, line)
  expect(() => followers.open('sse', asked, line)).toThrow(/2 follow the events already/)
  first.leave()
  await until(() => followers.size() === 1)
  followers.open('sse', asked, line)
  expect(await metrics.scrape('prometheus')).toContain('shardy_event_followers{transport="sse"} 1\n')
  await followers.stop()
  expect(ends).toEqual(['stopping', 'stopping'])
  expect(() => followers.open('sse', asked, line)).toThrow(/stopping/)
  const text = await metrics.scrape('prometheus')
  expect(text).toContain('shardy_event_followers{transport="sse"} 0\n')
  expect(text).toContain('shardy_event_followers_closed_total{reason="stopping"} 2\n')
})

const idle: FollowerLine = { send() {}, heartbeat() {}, drained: () => undefined, end() {} }

test('requesters leave room for each other, and for who sees everything', async () => {
  const { log, clock } = await open()
  const followers = createFollowers(
    { events: log, clock, log: silentLog, metrics: createMetrics() },
    { followersMax: 4, reserved: 1, perRequesterMax: 2 },
  )
  const asked = (kind: 'own' | 'everything', requesterId: RequesterId): Asked => ({
    viewer: { kind, requesterId, isAllowed: () => true },
    after: 0,
    types: undefined,
    isLive: true,
  })
  const follows = (kind: 'own' | 'everything', who: string | undefined) =>
    followers.open('sse', asked(kind, who as RequesterId), idle)
  follows('own', own)
  follows('own', own)
  expect(() => follows('own', own)).toThrow(/one requester may 2/)
  follows('own', foreign)
  expect(() => follows('own', 'ee'.repeat(32))).toThrow(/too many/)
  follows('everything', own)
  expect(() => follows('everything', own)).toThrow(/4 follow the events already/)
  await followers.stop()
})

test('a requester catches up few times at once, and follows what is new as often as it likes', async () => {
  const { log, clock, store } = await open()
  await record(
    store,
    log,
    Array.from({ length: 1_100 }, (_, index) => streamRecordOf(index + 1)),
  )
  const followers = createFollowers(
    { events: log, clock, log: silentLog, metrics: createMetrics() },
    { catchUpsPerRequesterMax: 2 },
  )
  const asked: Asked = { viewer: everything, after: 0, types: undefined, isLive: true }
  const behind = () => followers.open('sse', asked, idle)
  behind()
  const second = behind()
  expect(behind).toThrow(/catch up 2 times already/)
  followers.open('sse', { ...asked, after: log.newest() }, idle)
  second.leave()
  await second.ended
  // The first has caught up meanwhile, or is about to.
  await until(() => {
    try {
      behind()
      return true
    } catch {
      return false
    }
  })
  await followers.stop()
})
