/**
 * What every store must do, whichever engine is below it. One suite, run on all of them by `openStore.test.ts`, so
 * that a test on the memory twin says something about the disk.
 */
import { afterEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  batchBytesMax,
  batchOperationsMax,
  batchRangesMax,
  getManyKeysMax,
  keyBytesMax,
  readersMax,
  valueBytesMax,
} from './bounds.ts'
import { clearRange } from './clearRange.ts'
import { openStore, type StoreKind } from './openStore.ts'
import { prefixRange } from './prefix.ts'
import type { DeleteRange, Entry, Operation, Put, Range, Reader, Store } from './store.ts'
import { StoreError, type StoreErrorKind } from './storeError.ts'

export const tables = ['left', 'right'] as const
export type Table = (typeof tables)[number]

const synced = { sync: true }
const unsynced = { sync: false }

/** `columns`: which of the tables are kept apart. */
export function storeConformance(kind: StoreKind, columns: readonly Table[] = ['right']): void {
  const { open, freshPath } = openings(kind, columns)

  describe(`${kind} store${apart(columns)}: rows`, () => {
    test('a written row is read back, and a missing one is undefined', async () => {
      const store = await open()
      await store.write([put('left', 'a', 'one')], synced)
      expect(await store.get('left', bytes('a'))).toEqual(bytes('one'))
      expect(await store.get('left', bytes('b'))).toBeUndefined()
      expect(await store.get('right', bytes('a'))).toBeUndefined()
    })

    test('an empty value is a value', async () => {
      const store = await open()
      await store.write([put('left', 'a', '')], synced)
      expect(await store.get('left', bytes('a'))).toEqual(new Uint8Array(0))
      expect(await read(store, 'left')).toEqual(['a='])
    })

    test('the largest key and value fit', async () => {
      const store = await open()
      const key = new Uint8Array(keyBytesMax).fill(0xff)
      const value = new Uint8Array(valueBytesMax).fill(7)
      await store.write([{ kind: 'put', table: 'left', key, value }], synced)
      const found = await store.get('left', key)
      expect(found?.byteLength).toBe(valueBytesMax)
      expect(Buffer.compare(found ?? new Uint8Array(0), value)).toBe(0)
      for (const reverse of [false, true]) {
        const rows = await collect(store.iterate('left', { gte: key, reverse }))
        expect(rows.map((row) => row.key)).toEqual([key])
      }
    })

    test('getMany answers in the order of the keys, also twice for one key', async () => {
      const store = await open()
      await store.write([put('left', 'a', '1'), put('left', 'b', '2')], synced)
      const found = await store.getMany('left', [bytes('b'), bytes('x'), bytes('a'), bytes('b')])
      expect(found).toEqual([bytes('2'), undefined, bytes('1'), bytes('2')])
      expect(await store.getMany('left', [])).toEqual([])
    })

    test('the store keeps what it was given, whatever happens to the arrays later', async () => {
      const store = await open()
      const key = bytes('a')
      const value = bytes('one')
      const written = store.write([{ kind: 'put', table: 'left', key, value }], synced)
      key.fill(0)
      value.fill(0)
      await written
      const found = await store.get('left', bytes('a'))
      expect(found).toEqual(bytes('one'))
      found?.fill(0)
      expect(await read(store, 'left')).toEqual(['a=one'])
    })

    test('deleted rows are gone; deleting what is not there is no error', async () => {
      const store = await open()
      await store.write([put('left', 'a', '1'), put('left', 'b', '2')], synced)
      await store.write([remove('left', 'a'), remove('left', 'zz')], synced)
      expect(await read(store, 'left')).toEqual(['b=2'])
      expect(await store.get('left', bytes('a'))).toBeUndefined()
    })
  })

  describe(`${kind} store${apart(columns)}: batches`, () => {
    test('a batch reaches several tables', async () => {
      const store = await open()
      await store.write([put('left', 'a', '1'), put('right', 'a', '2')], synced)
      expect(await read(store, 'left')).toEqual(['a=1'])
      expect(await read(store, 'right')).toEqual(['a=2'])
    })

    test('within a batch the last operation on a key wins', async () => {
      const store = await open()
      await store.write([put('left', 'a', '1'), remove('left', 'a'), put('left', 'a', '2')], synced)
      await store.write([put('left', 'b', '1'), remove('left', 'b')], synced)
      expect(await read(store, 'left')).toEqual(['a=2'])
    })

    test('an empty batch changes nothing', async () => {
      const store = await open()
      await store.write([], synced)
      expect(await read(store, 'left')).toEqual([])
    })

    test('a refused batch leaves nothing behind', async () => {
      const store = await open()
      const batch = [
        put('left', 'a', '1'),
        { kind: 'delete', table: 'left', key: new Uint8Array(0) } as const,
      ]
      await expectKind(store.write(batch, synced), 'keyOutOfBounds')
      expect(await read(store, 'left')).toEqual([])
    })

    test('concurrent writes all arrive, and writes to one key in the order they were made', async () => {
      const store = await open()
      const writes = Array.from({ length: 300 }, (_, index) =>
        store.write([put('left', name(index), 'x'), put('right', 'last', name(index))], {
          sync: index % 3 === 0,
        }),
      )
      await Promise.all(writes)
      expect((await read(store, 'left')).length).toBe(300)
      expect(await store.get('right', bytes('last'))).toEqual(bytes(name(299)))
    })
  })

  describe(`${kind} store${apart(columns)}: deleted ranges`, () => {
    const keys = ['a', 'b', 'c', 'd']
    const cases: readonly [string, Omit<DeleteRange<Table>, 'kind' | 'table'>, string][] = [
      ['all of a table', {}, ''],
      ['from a key on', { gte: bytes('c') }, 'ab'],
      ['up to a key', { lt: bytes('c') }, 'cd'],
      ['between two', { gte: bytes('b'), lt: bytes('d') }, 'ad'],
      ['between what is not there', { gte: bytes('aa'), lt: bytes('cc') }, 'ad'],
      ['nothing at one key', { gte: bytes('b'), lt: bytes('b') }, 'abcd'],
      ['nothing backwards', { gte: bytes('c'), lt: bytes('b') }, 'abcd'],
      ['nothing behind the end', { gte: bytes('e') }, 'abcd'],
      ['nothing before an empty end', { lt: new Uint8Array(0) }, 'abcd'],
    ]
    for (const [what, range, expected] of cases) {
      test(`${what}, and no row of a neighbour`, async () => {
        const store = await open()
        await store.write([...keys.map((key) => put('left', key, '')), put('right', 'b', 'r')], synced)
        await store.write([{ kind: 'deleteRange', table: 'left', ...range }], synced)
        const left = await collect(store.iterate('left'))
        expect(left.map((row) => text(row.key)).join('')).toBe(expected)
        expect(await read(store, 'right')).toEqual(['b=r'])
        await store.write([{ kind: 'deleteRange', table: 'right' }], synced)
        expect((await collect(store.iterate('left'))).length).toBe(expected.length)
      })
    }

    test('takes its place among the operations of its batch and of those beside it', async () => {
      const store = await open()
      await store.write([put('left', 'a', '0'), put('left', 'b', '0')], synced)
      await Promise.all([
        store.write([put('left', 'x', '1')], synced),
        store.write(
          [
            put('left', 'c', '1'),
            put('right', 'c', '1'),
            { kind: 'deleteRange', table: 'left', gte: bytes('b') },
            put('left', 'b', '2'),
          ],
          synced,
        ),
        store.write([put('left', 'd', '3')], synced),
      ])
      expect(await read(store, 'left')).toEqual(['a=0', 'b=2', 'd=3'])
      expect(await read(store, 'right')).toEqual(['c=1'])
    })

    test('a snapshot still sees the rows', async () => {
      const store = await open()
      await store.write([put('left', 'a', '1')], synced)
      const snapshot = await store.snapshot()
      await store.write([{ kind: 'deleteRange', table: 'left' }], synced)
      expect(await read(snapshot, 'left')).toEqual(['a=1'])
      expect(await read(store, 'left')).toEqual([])
      expect(await store.getMany('left', [bytes('a')])).toEqual([undefined])
    })

    test('clearRange goes in pieces, says how many rows there were, and leaves the rest', async () => {
      const store = await open()
      const batch = Array.from({ length: 2_500 }, (_, index) => put('left', name(index), 'x'))
      await store.write([...batch, put('right', name(7), 'r')], unsynced)
      const range = { gte: bytes(name(10)), lt: bytes(name(2_490)) }
      expect(await clearRange(store, 'left', range, { rowsAtOnce: 1_000 })).toBe(2_480)
      expect((await read(store, 'left')).length).toBe(20)
      expect(await clearRange(store, 'left', range, { rowsAtOnce: 1_000 })).toBe(0)
      expect(await clearRange(store, 'left')).toBe(20)
      expect(await read(store, 'right')).toEqual([`${name(7)}=r`])
    })
  })

  describe(`${kind} store${apart(columns)}: ranges`, () => {
    test('keys come in the order of their bytes, not of their text or length', async () => {
      const store = await open()
      const keys = [[0], [0, 0], [0, 1], [1], [0x7f], [0x80], [0xfe, 0xff], [0xff], [0xff, 0], [0xff, 0xff]]
      const batch = keys.map(
        (key) => ({ kind: 'put', table: 'left', key: Uint8Array.from(key), value: bytes('') }) as const,
      )
      await store.write(batch.toReversed(), synced)
      expect((await collect(store.iterate('left'))).map((row) => [...row.key])).toEqual(keys)
      expect((await collect(store.iterate('left', { reverse: true }))).map((row) => [...row.key])).toEqual(
        keys.toReversed(),
      )
    })

    test('a range includes its beginning and not its end', async () => {
      const store = await open()
      await store.write(
        ['a', 'b', 'c', 'd'].map((key) => put('left', key, '')),
        synced,
      )
      const cases: readonly [Range, string][] = [
        [{}, 'abcd'],
        [{ gte: bytes('b') }, 'bcd'],
        [{ lt: bytes('c') }, 'ab'],
        [{ gte: bytes('b'), lt: bytes('d') }, 'bc'],
        [{ gte: bytes('b'), lt: bytes('d'), reverse: true }, 'cb'],
        [{ gte: bytes('aa'), lt: bytes('cc'), reverse: true }, 'cb'],
        [{ reverse: true, limit: 2 }, 'dc'],
        [{ gte: bytes('b'), limit: 2 }, 'bc'],
        [{ limit: 0 }, ''],
        [{ limit: 99 }, 'abcd'],
        [{ gte: bytes('b'), lt: bytes('b') }, ''],
        [{ gte: bytes('c'), lt: bytes('b') }, ''],
        [{ gte: bytes('c'), lt: bytes('b'), reverse: true }, ''],
        [{ gte: new Uint8Array(0) }, 'abcd'],
        [{ lt: new Uint8Array(0) }, ''],
        [{ gte: bytes('e') }, ''],
        [{ lt: bytes('a'), reverse: true }, ''],
      ]
      const snapshot = await store.snapshot()
      for (const [range, expected] of cases) {
        for (const reader of [store, snapshot]) {
          const rows = await collect(reader.iterate('left', range))
          expect([rows.map((row) => text(row.key)).join(''), range]).toEqual([expected, range])
        }
      }
    })

    test('neighbouring tables do not show in a range', async () => {
      const store = await open()
      await store.write([put('left', '\xff', 'l'), put('right', '\x00', 'r')], synced)
      for (const reverse of [false, true]) {
        expect((await collect(store.iterate('left', { reverse }))).length).toBe(1)
        expect((await collect(store.iterate('right', { reverse }))).length).toBe(1)
      }
    })

    test('a prefix finds exactly its keys, up to the edge of bytes', async () => {
      const store = await open()
      const keys = [[1], [1, 0xff], [1, 0xff, 0], [1, 0xff, 0xff], [2], [0xff], [0xff, 0xff, 3]]
      const batch = keys.map(
        (key) => ({ kind: 'put', table: 'left', key: Uint8Array.from(key), value: bytes('') }) as const,
      )
      await store.write(batch, synced)
      const under = async (...prefix: number[]) => {
        const rows = await collect(store.iterate('left', prefixRange(Uint8Array.from(prefix))))
        return rows.map((row) => [...row.key])
      }
      expect(await under(1)).toEqual(keys.slice(0, 4))
      expect(await under(1, 0xff)).toEqual(keys.slice(1, 4))
      expect(await under(0xff)).toEqual(keys.slice(5))
      expect(await under(0xff, 0xff)).toEqual(keys.slice(6))
      expect(await under()).toEqual(keys)
      expect(await under(3)).toEqual([])
    })

    test('a long range comes whole, in both directions', async () => {
      const store = await open()
      const count = 5_000
      const batch = Array.from({ length: count }, (_, index) => put('left', name(index), 'x'.repeat(100)))
      await store.write(batch, unsynced)
      const expected = batch.map((operation) => text(operation.key))
      const snapshot = await store.snapshot()
      for (const reader of [store, snapshot]) {
        const onward = await collect(reader.iterate('left'))
        expect(onward.map((row) => text(row.key))).toEqual(expected)
        const back = await collect(reader.iterate('left', { reverse: true, limit: count - 1 }))
        expect(back.map((row) => text(row.key))).toEqual(expected.toReversed().slice(0, count - 1))
      }
    })
  })

  describe(`${kind} store${apart(columns)}: snapshots`, () => {
    test('a snapshot does not see later writes, in any table', async () => {
      const store = await open()
      await store.write([put('left', 'a', '1'), put('left', 'b', '1'), put('right', 'a', '1')], synced)
      const snapshot = await store.snapshot()
      await store.write(
        [put('left', 'a', '2'), remove('left', 'b'), put('left', 'c', '2'), put('right', 'b', '2')],
        synced,
      )
      expect(await read(snapshot, 'left')).toEqual(['a=1', 'b=1'])
      expect(await read(snapshot, 'right')).toEqual(['a=1'])
      expect(await snapshot.get('left', bytes('a'))).toEqual(bytes('1'))
      expect(await snapshot.getMany('left', [bytes('c'), bytes('b')])).toEqual([undefined, bytes('1')])
      expect(await read(store, 'left')).toEqual(['a=2', 'c=2'])
    })

    test('readers of one snapshot do not disturb each other', async () => {
      const store = await open()
      const batch = Array.from({ length: 200 }, (_, index) => put('left', name(index), name(index)))
      await store.write(batch, synced)
      const snapshot = await store.snapshot()
      const [onward, back, single, part] = await Promise.all([
        read(snapshot, 'left'),
        read(snapshot, 'left', { reverse: true }),
        snapshot.get('left', bytes(name(7))),
        read(snapshot, 'left', { gte: bytes(name(150)) }),
      ])
      expect(onward.length).toBe(200)
      expect(back).toEqual(onward.toReversed())
      expect(single).toEqual(bytes(name(7)))
      expect(part).toEqual(onward.slice(150))
    })

    test('an iteration goes on over what was there when it began', async () => {
      const store = await open()
      const batch = Array.from({ length: 100 }, (_, index) => put('left', name(index), 'old'))
      await store.write(batch, synced)
      const seen: string[] = []
      for await (const { key, value } of store.iterate('left')) {
        if (seen.length === 0)
          await store.write(
            batch.map(({ key }) => ({ kind: 'delete', table: 'left', key })),
            synced,
          )
        seen.push(`${text(key)}=${text(value)}`)
      }
      expect(seen.length).toBe(100)
      expect(seen.at(-1)).toBe(`${name(99)}=old`)
      expect(await read(store, 'left')).toEqual([])
    })

    test('an iteration that is left early lets go', async () => {
      const store = await open()
      await store.write([put('left', 'a', ''), put('left', 'b', '')], synced)
      for (let round = 0; round < readersMax + 8; round += 1) {
        for await (const _ of store.iterate('left')) break
      }
    })

    test('too many readers are refused by name, and closing one makes room', async () => {
      const store = await open()
      await store.write([put('left', 'a', '1')], synced)
      const held = [await store.snapshot()]
      while (held.length < readersMax) held.push(await store.snapshot())
      await expectKind(store.snapshot(), 'tooManyReaders')
      await expectKind(read(store, 'left'), 'tooManyReaders')
      await held[0]?.close()
      await held[0]?.close()
      expect(await read(store, 'left')).toEqual(['a=1'])
      await Promise.all(held.map((snapshot) => snapshot.close()))
    })
  })

  describe(`${kind} store${apart(columns)}: refusals`, () => {
    const refused: readonly [StoreErrorKind, string, (store: Store<Table>) => Promise<unknown>][] = [
      ['keyOutOfBounds', 'an empty key in get', (store) => store.get('left', new Uint8Array(0))],
      ['keyOutOfBounds', 'a long key in get', (store) => store.get('left', new Uint8Array(keyBytesMax + 1))],
      ['keyOutOfBounds', 'an empty key in getMany', (store) => store.getMany('left', [new Uint8Array(0)])],
      ['keyOutOfBounds', 'a long key in a batch', (store) => writeOne(store, keyBytesMax + 1, 0)],
      ['keyOutOfBounds', 'an empty key in a batch', (store) => writeOne(store, 0, 0)],
      ['valueTooLarge', 'a large value', (store) => writeOne(store, 1, valueBytesMax + 1)],
      [
        'tooManyKeys',
        'many keys',
        (store) => store.getMany('left', Array(getManyKeysMax + 1).fill(bytes('a'))),
      ],
      [
        'batchTooLarge',
        'many operations',
        (store) => store.write(Array(batchOperationsMax + 1).fill(remove('left', 'a')), unsynced),
      ],
      [
        'batchTooLarge',
        'many bytes',
        (store) => store.write(Array(batchBytesMax / valueBytesMax).fill(largest), unsynced),
      ],
      [
        'rangeOutOfBounds',
        'a long bound',
        (store) => read(store, 'left', { gte: new Uint8Array(keyBytesMax + 2) }),
      ],
      [
        'rangeOutOfBounds',
        'a long bound to delete from',
        (store) =>
          store.write([{ kind: 'deleteRange', table: 'left', gte: new Uint8Array(keyBytesMax + 2) }], synced),
      ],
      [
        'batchTooLarge',
        'many ranges',
        (store) =>
          store.write(Array(batchRangesMax + 1).fill({ kind: 'deleteRange', table: 'left' }), unsynced),
      ],
      ['rangeOutOfBounds', 'pieces of no rows', (store) => clearRange(store, 'left', {}, { rowsAtOnce: 0 })],
      ['rangeOutOfBounds', 'a negative limit', (store) => read(store, 'left', { limit: -1 })],
      ['rangeOutOfBounds', 'a broken limit', (store) => read(store, 'left', { limit: 1.5 })],
      ['unknownTable', 'a table to read', (store) => store.get('middle' as Table, bytes('a'))],
      ['unknownTable', 'a table to iterate', (store) => read(store, 'middle' as Table)],
      ['unknownTable', 'a table to write', (store) => store.write([put('middle' as Table, 'a', '')], synced)],
    ]
    for (const [errorKind, what, call] of refused) {
      test(`${what}: ${errorKind}, and the store goes on`, async () => {
        const store = await open()
        await expectKind(call(store), errorKind)
        await store.write([put('left', 'a', '1')], synced)
        expect(await read(store, 'left')).toEqual(['a=1'])
      })
    }

    test('after close every call is refused, and closing again is not', async () => {
      const store = await open()
      await store.write([put('left', 'a', '1')], synced)
      const snapshot = await store.snapshot()
      const reading = store.iterate('left')[Symbol.asyncIterator]()
      const accepted = store.write([put('left', 'b', '2')], synced)
      await Promise.all([accepted, store.close()])
      await store.close()
      await expectKind(store.get('left', bytes('a')), 'closed')
      await expectKind(store.getMany('left', [bytes('a')]), 'closed')
      await expectKind(store.write([], synced), 'closed')
      await expectKind(store.snapshot(), 'closed')
      await expectKind(read(store, 'left'), 'closed')
      await expectKind(snapshot.get('left', bytes('a')), 'closed')
      await expectKind(read(snapshot, 'left'), 'closed')
      await expectKind(reading.next(), 'closed')
      await snapshot.close()
    })

    test('closing in the middle of an iteration ends it with a refusal', async () => {
      const store = await open()
      await store.write(
        ['a', 'b', 'c'].map((key) => put('left', key, '')),
        synced,
      )
      const reading = store.iterate('left')[Symbol.asyncIterator]()
      await reading.next()
      await store.close()
      await expectKind(reading.next(), 'closed')
    })

    test('a closed snapshot is refused, also in the middle of an iteration', async () => {
      const store = await open()
      await store.write(
        ['a', 'b', 'c'].map((key) => put('left', key, '')),
        synced,
      )
      const snapshot = await store.snapshot()
      const reading = snapshot.iterate('left')[Symbol.asyncIterator]()
      await reading.next()
      await snapshot.close()
      await expectKind(reading.next(), 'closed')
      await expectKind(snapshot.get('left', bytes('a')), 'closed')
      expect((await read(store, 'left')).length).toBe(3)
    })

    for (const [what, options] of [
      ['a schema version of 0', { tables, schemaVersion: 0 }],
      ['a broken schema version', { tables, schemaVersion: 1.5 }],
      ['no tables', { tables: [], schemaVersion: 1 }],
      ['a table twice', { tables: ['left', 'left'], schemaVersion: 1 }],
      ['a table name with a path in it', { tables: ['../left'], schemaVersion: 1 }],
      ['a column without a table', { tables: ['left'], columns: ['right' as 'left'], schemaVersion: 1 }],
      ['too many columns', { tables: ['a', 'b', 'c'], columns: ['a', 'b', 'c'], schemaVersion: 1 }],
    ] as const) {
      test(`${what} is refused`, async () => {
        await expectKind(openStore({ kind, path: await freshPath(), ...options }), 'schemaMismatch')
      })
    }
  })
}

/** For stores on a disk: what holds across opening again. */
export function diskConformance(kind: 'rocksdb' | 'sqlite'): void {
  const { open, freshPath } = openings(kind)

  describe(`${kind} store: on disk`, () => {
    test('rows are there after opening again', async () => {
      const path = await freshPath()
      const first = await open(path)
      await first.write([put('left', 'a', '1'), put('right', 'b', '2')], synced)
      await first.write([put('left', 'c', '3')], unsynced)
      await first.close()
      const second = await open(path)
      expect(await read(second, 'left')).toEqual(['a=1', 'c=3'])
      expect(await read(second, 'right')).toEqual(['b=2'])
    })

    test('a second opening is refused while the first is open', async () => {
      const path = await freshPath()
      const first = await open(path)
      await expectKind(open(path), 'locked')
      await first.write([put('left', 'a', '1')], synced)
      await first.close()
      expect(await read(await open(path), 'left')).toEqual(['a=1'])
    })

    test('another schema version is refused, with both versions named, and nothing is lost', async () => {
      const path = await freshPath()
      const first = await open(path)
      await first.write([put('left', 'a', '1')], synced)
      await first.close()
      const other = openStore({ kind, path, tables, schemaVersion: 2 })
      expect((await expectKind(other, 'schemaMismatch')).message).toContain('version 1, this program needs 2')
      expect(await read(await open(path), 'left')).toEqual(['a=1'])
    })

    test('a table that is missing from the list is refused by name', async () => {
      const path = await freshPath()
      await (await open(path)).close()
      const other = openStore({ kind, path, tables: ['left'], schemaVersion: 1 })
      expect((await expectKind(other, 'schemaMismatch')).message).toContain('right')
    })

    test('a new table may be listed anywhere, and the rows of the others stay theirs', async () => {
      const path = await freshPath()
      const first = await open(path)
      await first.write([put('left', 'a', 'l'), put('right', 'a', 'r')], synced)
      await first.close()
      const second = await openStore({ kind, path, tables: ['added', 'right', 'left'], schemaVersion: 1 })
      expect(await second.get('added', bytes('a'))).toBeUndefined()
      expect(await second.get('left', bytes('a'))).toEqual(bytes('l'))
      expect(await second.get('right', bytes('a'))).toEqual(bytes('r'))
      await second.close()
    })

    test('a table stays where it was made, and one that is made later goes where it is asked for', async () => {
      const path = await freshPath()
      const before = { kind, path, tables, schemaVersion: 1 } as const
      const first = await openStore(before)
      await first.write([put('left', 'a', 'l'), put('right', 'a', 'r')], synced)
      await first.close()
      for (const columns of [['left', 'added'], [], ['added', 'right']] as const) {
        const store = await openStore({ ...before, tables: [...tables, 'added'], columns })
        await store.write([{ kind: 'put', table: 'added', key: bytes('a'), value: bytes('n') }], synced)
        for (const [table, value] of [
          ['left', 'l'],
          ['right', 'r'],
          ['added', 'n'],
        ] as const) {
          expect(await store.get(table, bytes('a'))).toEqual(bytes(value))
        }
        await store.close()
      }
    })

    test('a folder with the other kind of store is refused instead of looking empty', async () => {
      const path = await freshPath()
      await (await open(path)).close()
      const other = openStore({
        kind: kind === 'rocksdb' ? 'sqlite' : 'rocksdb',
        path,
        tables,
        schemaVersion: 1,
      })
      expect((await expectKind(other, 'schemaMismatch')).message).toContain(`open it with kind ${kind}`)
    })

    test('a path that is a file is a failure with its cause', async () => {
      const path = await freshPath()
      await Bun.write(path, 'not a folder')
      const error = await expectKind(open(path), 'failed')
      expect(error.cause).toBeDefined()
    })
  })
}

function apart(columns: readonly Table[]): string {
  return columns.length === 0 ? ' with all tables together' : ` with ${columns.join(' and ')} apart`
}

/** Opens stores in folders that are gone after each test. */
export function openings(kind: StoreKind, columns: readonly Table[] = ['right']) {
  const folders: string[] = []
  const stores: Store<Table>[] = []

  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close()
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
  })

  const freshPath = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'shardy-store-'))
    folders.push(folder)
    return join(folder, 'store')
  }
  const open = async (path?: string): Promise<Store<Table>> => {
    const place = { kind, path: path ?? (await freshPath()) }
    const store = await openStore({ ...place, tables, columns, schemaVersion: 1 })
    stores.push(store)
    return store
  }
  return { open, freshPath }
}

export async function expectKind(call: Promise<unknown>, kind: StoreErrorKind): Promise<StoreError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof StoreError))
    throw new Error(`expected a StoreError of kind ${kind}`, { cause: error })
  expect(error.kind).toBe(kind)
  return error
}

export function put(table: Table, key: string, value: string): Put<Table> {
  return { kind: 'put', table, key: bytes(key), value: bytes(value) }
}

export function remove(table: Table, key: string): Operation<Table> {
  return { kind: 'delete', table, key: bytes(key) }
}

export async function read(reader: Reader<Table>, table: Table, range: Range = {}): Promise<string[]> {
  const rows = await collect(reader.iterate(table, range))
  return rows.map(({ key, value }) => `${text(key)}=${text(value)}`)
}

async function collect(rows: AsyncIterable<Entry>): Promise<Entry[]> {
  const found: Entry[] = []
  for await (const row of rows) found.push(row)
  return found
}

/** One byte per character. A plain array, because a Buffer does not equal one in a test. */
export function bytes(characters: string): Uint8Array {
  return Uint8Array.from(characters, (character) => character.charCodeAt(0))
}

export function text(characters: Uint8Array): string {
  return String.fromCharCode(...characters)
}

function name(index: number): string {
  return String(index).padStart(6, '0')
}

const largest: Operation<Table> = {
  kind: 'put',
  table: 'left',
  key: bytes('a'),
  value: new Uint8Array(valueBytesMax),
}

function writeOne(store: Store<Table>, keyBytes: number, valueBytes: number): Promise<void> {
  const key = new Uint8Array(keyBytes)
  return store.write([{ kind: 'put', table: 'left', key, value: new Uint8Array(valueBytes) }], synced)
}
