import { afterEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expectKind, put, read, remove, type Table, tables } from '../conformance.ts'
import { openStore, type StoreKind } from '../openStore.ts'
import type { Store } from '../store.ts'
import { type Follower, openFollower } from './follower.ts'
import { acknowledge, fence, log, logPosition } from './log.ts'
import type { LogOptions } from './loggedEngine.ts'
import type { Position } from './position.ts'

const synced = { sync: true }
const folders: string[] = []
const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

async function freshPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shardy-replica-'))
  folders.push(folder)
  return join(folder, 'store')
}

/** The frames from there to where the store is now. */
async function framesFrom(store: Store<Table>, from: Position | undefined): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  const abort = new AbortController()
  const { sequence } = logPosition(store)
  const isThere = (frame: Uint8Array): boolean =>
    (frame[0] === 3 || frame[0] === 0) && (frame[0] === 3 || sequenceOf(frame) >= sequence)
  if (from?.sequence === sequence) return frames
  for await (const frame of log(store, { from, signal: abort.signal })) {
    frames.push(frame)
    if (isThere(frame)) break
  }
  return frames
}

function sequenceOf(entry: Uint8Array): number {
  return Number(new DataView(entry.buffer, entry.byteOffset).getBigUint64(5))
}

async function catchUp(store: Store<Table>, follower: Follower): Promise<Uint8Array[]> {
  const frames = await framesFrom(store, follower.position)
  for (const frame of frames) await follower.apply(frame)
  return frames
}

for (const kind of ['memory', 'sqlite', 'rocksdb'] as const) {
  const openPrimary = async (path?: string, options: LogOptions = {}): Promise<Store<Table>> => {
    const store = await openStore({
      kind,
      path: path ?? (await freshPath()),
      tables,
      columns: ['right'],
      schemaVersion: 1,
      log: options,
    })
    opened.push(store)
    return store
  }
  const follow = async (path?: string): Promise<Follower> => {
    const follower = await openFollower({ kind, path: path ?? (await freshPath()) })
    opened.push(follower)
    return follower
  }
  const promote = async (follower: Follower): Promise<Store<Table>> => {
    const store = await follower.promote({ tables, schemaVersion: 1, log: {} })
    opened.push(store)
    return store
  }

  describe(`${kind} store: a follower`, () => {
    test('gets a snapshot, then every write, and can be promoted', async () => {
      const primary = await openPrimary()
      await primary.write([put('left', 'a', '1'), put('right', 'r', '1')], synced)
      const follower = await follow()
      expect(follower.position).toBeUndefined()
      await catchUp(primary, follower)
      await primary.write([put('left', 'b', '2'), remove('right', 'r')], { sync: false })
      await primary.write(
        [put('left', 'c', '3'), { kind: 'deleteRange', table: 'left', lt: Uint8Array.of(98) }],
        synced,
      )
      const frames = await catchUp(primary, follower)
      expect(frames.map((frame) => frame[0])).toEqual([0, 0])
      expect(follower.position).toEqual(logPosition(primary))
      const promoted = await promote(follower)
      expect(await read(promoted, 'left')).toEqual(['b=2', 'c=3'])
      expect(await read(promoted, 'right')).toEqual([])
      expect(logPosition(promoted).epoch).toBe(logPosition(primary).epoch + 1)
      await promoted.write([put('left', 'd', '4')], synced)
    })

    test('that is whole needs no frame; one that waits gets the next write', async () => {
      const primary = await openPrimary()
      await primary.write([put('left', 'a', '1')], synced)
      const follower = await follow()
      await catchUp(primary, follower)
      const frames = log(primary, { from: follower.position })[Symbol.asyncIterator]()
      const next = frames.next()
      await primary.write([put('left', 'b', '2')], synced)
      const frame = await next
      if (frame.done !== true) await follower.apply(frame.value)
      expect(follower.position).toEqual(logPosition(primary))
      await primary.close()
      await expectKind(frames.next(), 'closed')
    })

    test('gets tables that a later program adds', async () => {
      const path = await freshPath()
      const first = await openPrimary(path)
      const follower = await follow()
      await catchUp(first, follower)
      if (kind === 'memory') return
      await first.close()
      const second = await openStore({ kind, path, tables: [...tables, 'more'], schemaVersion: 1, log: {} })
      opened.push(second)
      await second.write(
        [{ kind: 'put', table: 'more', key: Uint8Array.of(1), value: Uint8Array.of(2) }],
        synced,
      )
      // One entry for the schema record, one for the row: the same history goes on.
      const abort = new AbortController()
      for await (const frame of log(second, { from: follower.position, signal: abort.signal })) {
        expect(frame[0]).toBe(0)
        if ((await follower.apply(frame))?.sequence === logPosition(second).sequence) abort.abort()
      }
      const promoted = await follower.promote({ tables: [...tables, 'more'], schemaVersion: 1, log: {} })
      opened.push(promoted)
      expect(await promoted.get('more', Uint8Array.of(1))).toEqual(Uint8Array.of(2))
    })

    test('refuses a gap, a repeat and another order, and goes on with the right one', async () => {
      const primary = await openPrimary()
      const follower = await follow()
      await catchUp(primary, follower)
      for (const name of ['a', 'b', 'c']) await primary.write([put('left', name, '1')], synced)
      const [first, second, third] = (await framesFrom(primary, follower.position)) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ]
      await expectKind(follower.apply(second), 'logGap')
      await follower.apply(first)
      await expectKind(follower.apply(first), 'logRepeated')
      await expectKind(follower.apply(third), 'logGap')
      await follower.apply(second)
      await follower.apply(third)
      expect(follower.position).toEqual(logPosition(primary))
    })

    test('refuses an entry that was changed in any byte or cut anywhere, and keeps its place', async () => {
      const primary = await openPrimary()
      const follower = await follow()
      await catchUp(primary, follower)
      await primary.write([put('left', 'a', '1'), remove('left', 'b')], synced)
      const [entry] = (await framesFrom(primary, follower.position)) as [Uint8Array]
      const before = follower.position
      for (let at = 0; at < entry.byteLength; at += 1) {
        const changed = entry.slice()
        changed[at] = (changed[at] ?? 0) ^ 0x81
        await expect(follower.apply(changed)).rejects.toMatchObject({ name: 'StoreError' })
        await expect(follower.apply(entry.subarray(0, at))).rejects.toMatchObject({ name: 'StoreError' })
      }
      expect(follower.position).toEqual(before)
      await follower.apply(entry)
      expect(follower.position).toEqual(logPosition(primary))
    })

    test('refuses a snapshot that is changed, cut or in another order', async () => {
      const primary = await openPrimary()
      const rows = Array.from({ length: 30 }, (_, index) =>
        put('left', `k${index + 10}`, 'x'.repeat(100_000)),
      )
      await primary.write(rows, synced)
      const frames = await framesFrom(primary, undefined)
      expect(frames.map((frame) => frame[0])).toEqual([1, 2, 2, 2, 3])
      const [begin, one, two, three, end] = frames as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ]
      const follower = await follow()
      await expectKind(follower.apply(one), 'logGap')
      await expectKind(follower.apply(end), 'logGap')
      await follower.apply(begin)
      await expectKind(follower.apply(two), 'logGap')
      await follower.apply(one)
      await expectKind(follower.apply(one), 'logRepeated')
      await expectKind(follower.apply(three), 'logGap')
      await expectKind(follower.apply(end), 'logGap')
      for (const at of [1, 3, 40, two.byteLength - 1]) {
        const changed = two.slice()
        changed[at] = (changed[at] ?? 0) ^ 1
        await expectKind(follower.apply(changed), 'logCorrupt')
      }
      expect(follower.position).toBeUndefined()
      await expectKind(follower.promote({ tables, schemaVersion: 1, log: {} }), 'notFollower')
      // From the beginning, over what came before.
      for (const frame of frames) await follower.apply(frame)
      expect(await read(await promote(follower), 'left')).toEqual(await read(primary, 'left'))
    })

    test('that is further behind than the log reaches gets a snapshot; a slow reader is told', async () => {
      const primary = await openPrimary(undefined, { bytesMax: 2_000 })
      const follower = await follow()
      await catchUp(primary, follower)
      await primary.write([put('left', 'a', '1')], synced)
      const slow = log(primary, { from: follower.position })[Symbol.asyncIterator]()
      await slow.next()
      for (let index = 0; index < 5; index += 1)
        await primary.write([put('left', 'b', 'x'.repeat(900))], synced)
      await expectKind(slow.next(), 'logTruncated')
      const frames = await catchUp(primary, follower)
      expect(frames[0]?.[0]).toBe(1)
      expect(follower.position).toEqual(logPosition(primary))
    })

    test('of another history gets a snapshot, even when it is ahead', async () => {
      const one = await openPrimary()
      const other = await openPrimary()
      const follower = await follow()
      await one.write([put('left', 'a', 'one')], synced)
      await other.write([put('left', 'a', 'other')], synced)
      await one.write([put('left', 'gone', 'one')], synced)
      await catchUp(one, follower)
      const frames = await catchUp(other, follower)
      expect(frames[0]?.[0]).toBe(1)
      expect(await read(await promote(follower), 'left')).toEqual(['a=other'])
    })
  })

  describe(`${kind} store: who may write`, () => {
    test('after a promotion the old primary is refused, told, and stays deposed', async () => {
      const path = await freshPath()
      const old = await openPrimary(path)
      await old.write([put('left', 'a', '1')], synced)
      const follower = await follow()
      await catchUp(old, follower)
      const promoted = await promote(follower)
      await promoted.write([put('left', 'b', 'new')], synced)
      // Nobody told it yet: it goes on by itself, and what it does then is lost.
      await old.write([put('left', 'b', 'lost')], synced)
      const { epoch } = logPosition(promoted)
      const third = await follow()
      await catchUp(promoted, third)
      await expectKind(third.apply((await framesFrom(old, undefined))[0] ?? new Uint8Array(0)), 'staleEpoch')
      expect(await fence(old, epoch - 1)).toBe(false)
      const { sequence } = logPosition(old)
      const waiting = expectKind(old.write([put('left', 'c', 'lost')], { sync: 'acknowledged' }), 'deposed')
      while (logPosition(old).sequence === sequence) await Bun.sleep(1)
      expect(await fence(old, epoch)).toBe(true)
      await waiting
      await expectKind(old.write([put('left', 'c', 'lost')], synced), 'deposed')
      await expectKind(framesFrom(old, undefined), 'deposed')
      expect(await read(old, 'left')).toEqual(['a=1', 'b=lost', 'c=lost'])
      expect(await fence(old, epoch)).toBe(true)
      await old.close()
      if (kind === 'memory') return
      await expectKind(openPrimary(path), 'deposed')
      await expectKind(openStore({ kind, path, tables, schemaVersion: 1 }), 'deposed')
      const rejoined = await follow(path)
      const frames = await catchUp(promoted, rejoined)
      expect(frames[0]?.[0]).toBe(1)
      expect(rejoined.position).toEqual(logPosition(promoted))
      expect(await read(await promote(rejoined), 'left')).toEqual(['a=1', 'b=new'])
    })

    test('a follower of a later epoch deposes whom it asks', async () => {
      const old = await openPrimary()
      const follower = await follow()
      await catchUp(old, follower)
      const from = logPosition(await promote(follower))
      await expectKind(log(old, { from })[Symbol.asyncIterator]().next(), 'deposed')
      await expectKind(old.write([put('left', 'a', '1')], synced), 'deposed')
    })

    test('a promoted follower takes no more frames', async () => {
      const old = await openPrimary()
      const follower = await follow()
      await catchUp(old, follower)
      await old.write([put('left', 'a', '1')], synced)
      const [frame] = await framesFrom(old, follower.position)
      await promote(follower)
      await expectKind(follower.apply(frame ?? new Uint8Array(0)), 'staleEpoch')
    })

    test('an acknowledged write waits for the follower, and is refused when none answers', async () => {
      const primary = await openPrimary(undefined, { acknowledgeMs: 50 })
      const write = (name: string) => primary.write([put('left', name, '')], { sync: 'acknowledged' })
      await expectKind(write('a'), 'unacknowledged')
      const follower = await follow()
      await catchUp(primary, follower)
      let isDone = false
      const written = write('b').then(() => {
        isDone = true
      })
      const frames = log(primary, { from: follower.position })[Symbol.asyncIterator]()
      const frame = await frames.next()
      const position = frame.done === true ? undefined : await follower.apply(frame.value)
      expect(isDone).toBe(false)
      if (position !== undefined) acknowledge(primary, position)
      await written
      await frames.return(undefined)
      const wrong = { ...logPosition(primary), chain: new Uint8Array(32) }
      expect(() => acknowledge(primary, wrong)).toThrow(expect.objectContaining({ kind: 'logCorrupt' }))
      expect(() => acknowledge(primary, { ...wrong, sequence: 99 })).toThrow('another history')
      const plain = await openStore({ kind, path: await freshPath(), tables, schemaVersion: 1 })
      opened.push(plain)
      await expectKind(plain.write([put('left', 'a', '')], { sync: 'acknowledged' }), 'unacknowledged')
      expect(() => logPosition(plain)).toThrow('open it with `log`')
    })
  })

  if (kind !== 'memory') acrossOpenings(kind, openPrimary, follow)

  describe(`${kind} store: whatever happens between`, () => {
    test('follower and primary end as the same', async () => {
      const step = fc.constantFrom(
        'write',
        'clear',
        'ship',
        'repeat',
        'skip',
        'reopenPrimary',
        'reopenFollower',
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const [path, followerPath] = [await freshPath(), await freshPath()]
          let primary = await openPrimary(path, { bytesMax: 1_000 })
          let follower = await follow(followerPath)
          let count = 0
          for (const each of steps) {
            count += 1
            if (each === 'write')
              await primary.write([put('left', `k${count % 5}`, 'x'.repeat(count * 9))], {
                sync: count % 2 === 0,
              })
            else if (each === 'clear') await primary.write([{ kind: 'deleteRange', table: 'left' }], synced)
            else if (each === 'ship') await catchUp(primary, follower)
            else if (each === 'repeat' || each === 'skip') {
              const frames = await framesFrom(primary, follower.position)
              const [first] = frames
              for (const frame of each === 'skip' ? frames.slice(1) : [first, first, ...frames.slice(1)])
                if (frame !== undefined) await follower.apply(frame).catch(() => {})
            } else if (kind === 'memory') continue
            else if (each === 'reopenPrimary') {
              await primary.close()
              primary = await openPrimary(path, { bytesMax: 1_000 })
            } else {
              await follower.close()
              follower = await follow(followerPath)
            }
          }
          await catchUp(primary, follower)
          expect(follower.position).toEqual(logPosition(primary))
          const rows = await read(primary, 'left')
          expect(await read(await promote(follower), 'left')).toEqual(rows)
          await primary.close()
        }),
        { numRuns: kind === 'memory' ? 100 : 12 },
      )
    }, 60_000)
  })
}

function acrossOpenings(
  kind: Exclude<StoreKind, 'memory'>,
  openPrimary: (path: string) => Promise<Store<Table>>,
  follow: (path: string) => Promise<Follower>,
): void {
  describe(`${kind} store: replicas opened again`, () => {
    test('both know where they are, and go on without a snapshot', async () => {
      const [path, followerPath] = [await freshPath(), await freshPath()]
      const first = await openPrimary(path)
      const follower = await follow(followerPath)
      await first.write([put('left', 'a', '1')], synced)
      await catchUp(first, follower)
      const before = logPosition(first)
      await first.close()
      await follower.close()
      await expectKind(openStore({ kind, path: followerPath, tables, schemaVersion: 1 }), 'notPrimary')
      await expectKind(follow(path), 'notFollower')
      const again = await openPrimary(path)
      const followed = await follow(followerPath)
      expect(logPosition(again)).toEqual(before)
      expect(followed.position).toEqual(before)
      await again.write([put('left', 'b', '2')], synced)
      expect((await catchUp(again, followed)).map((frame) => frame[0])).toEqual([0])
    })

    test('a primary that was open without a log has another history', async () => {
      const path = await freshPath()
      const first = await openPrimary(path)
      const follower = await follow(await freshPath())
      await catchUp(first, follower)
      await first.close()
      const unlogged = await openStore({ kind, path, tables, schemaVersion: 1 })
      await unlogged.write([put('left', 'a', 'unseen')], synced)
      await unlogged.close()
      const again = await openPrimary(path)
      await again.write([put('left', 'b', '2')], synced)
      expect((await catchUp(again, follower))[0]?.[0]).toBe(1)
    })

    test('a follower stopped in the middle of a snapshot has nothing, and begins anew', async () => {
      const primary = await openPrimary(await freshPath())
      await primary.write([put('left', 'a', '1')], synced)
      const followerPath = await freshPath()
      const follower = await follow(followerPath)
      await catchUp(primary, follower)
      const frames = await framesFrom(primary, undefined)
      for (const frame of frames.slice(0, -1)) await follower.apply(frame)
      await follower.close()
      const again = await follow(followerPath)
      expect(again.position).toBeUndefined()
      await expectKind(again.promote({ tables, schemaVersion: 1, log: {} }), 'notFollower')
      await catchUp(primary, again)
      expect(again.position).toEqual(logPosition(primary))
    })
  })
}
