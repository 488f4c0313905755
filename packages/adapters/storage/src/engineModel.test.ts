/**
 * Each engine's flat key space against the simplest thing that could be right: ranges over several tables, some of
 * them in columns of their own, as backups, followers and deletions read and write them.
 */
import { afterEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Engine, KeyRange, Scan } from './engine.ts'
import { encodeFlatRows, everything } from './flatRows.ts'
import { openEngine, type StoreKind } from './openStore.ts'
import { encodeDeletedRange, encodeOperations } from './operations.ts'
import { columnNumberFirst } from './tableIds.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

/** Tables on both sides of where columns begin, and awkward bytes behind them. */
const number = fc.constantFrom(0, 1, columnNumberFirst - 1, columnNumberFirst, columnNumberFirst + 1)
const rest = fc.array(fc.constantFrom(0, 1, 0xff), { minLength: 1, maxLength: 2 })
const key = fc.tuple(number, rest).map(([first, bytes]) => Uint8Array.of(first, ...bytes))
const bound = fc.oneof(
  key,
  number.map((first) => Uint8Array.of(first)),
  fc.constantFrom(everything.gte, everything.lt),
)
const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constant('put' as const), key, value: fc.nat(255) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('delete' as const), key }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('deleteRange' as const), gte: bound, lt: bound }) },
)
const step = fc.oneof(
  fc.record({ kind: fc.constant('commit' as const), batch: fc.array(operation, { maxLength: 10 }) }),
  fc.record({
    kind: fc.constant('read' as const),
    range: fc.record({ gte: bound, lt: bound, reverse: fc.boolean() }),
    rowsAtOnce: fc.integer({ min: 1, max: 4 }),
    keys: fc.array(key, { minLength: 1, maxLength: 6 }),
  }),
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never
type Rows = ReadonlyMap<string, number>

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function encode(operation: Extract<Step, { kind: 'commit' }>['batch'][number]) {
  if (operation.act === 'put')
    return encodeFlatRows([{ key: operation.key, value: Uint8Array.of(operation.value) }])
  if (operation.act === 'deleteRange') return encodeDeletedRange(operation.gte, operation.lt)
  const { key } = operation
  return encodeOperations([{ kind: 'delete', table: 'any', key: key.slice(1) }], () => key[0] ?? 0)
}

function apply(rows: Rows, batch: Extract<Step, { kind: 'commit' }>['batch']): Rows {
  const next = new Map(rows)
  for (const operation of batch) {
    if (operation.act === 'put') next.set(hex(operation.key), operation.value)
    else if (operation.act === 'delete') next.delete(hex(operation.key))
    else for (const [name] of inRange(next, { ...operation, reverse: false })) next.delete(name)
  }
  return next
}

/** Two characters are one byte, so the order of strings is the order of bytes. */
function inRange(rows: Rows, { gte, lt, reverse }: KeyRange): (readonly [string, number])[] {
  const found = [...rows].filter(([name]) => name >= hex(gte) && name < hex(lt))
  found.sort(([left], [right]) => (left < right ? -1 : 1))
  return reverse ? found.reverse() : found
}

async function read(scan: Scan, rowsAtOnce: number): Promise<(readonly [string, number | undefined])[]> {
  const found: (readonly [string, number | undefined])[] = []
  try {
    for (;;) {
      const { rows, finished } = await scan.next(rowsAtOnce)
      expect(rows.length).toBeLessThanOrEqual(rowsAtOnce)
      // Those who only ask whether there is any row rely on it.
      expect(rows.length > 0 || finished).toBe(true)
      found.push(...rows.map(({ key, value }) => [hex(key), value[0]] as const))
      if (finished) return found
    }
  } finally {
    await scan.close()
  }
}

for (const [kind, numRuns] of [
  ['memory', 300],
  ['sqlite', 40],
  ['rocksdb', 60],
] as const) {
  describe(`${kind} engine against a model`, () => {
    test('the same over all tables, now and as it was', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 15 }), (steps) => follow(kind, steps)),
        { numRuns },
      )
    }, 60_000)
  })
}

async function follow(kind: StoreKind, steps: readonly Step[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'shardy-engine-'))
  folders.push(folder)
  const path = join(folder, 'store')
  let engine = await openEngine({ kind, path })
  let rows: Rows = new Map()
  try {
    for (const [index, each] of steps.entries()) {
      if (each.kind === 'commit') {
        await engine.commit(each.batch.map(encode), index % 2 === 0)
        rows = apply(rows, each.batch)
        continue
      }
      const { range, rowsAtOnce, keys } = each
      const [scan, whole, view] = [engine.scan(range), engine.scan(everything), await engine.view()]
      const values = (given: readonly (Uint8Array | undefined)[]) => given.map((value) => value?.[0])
      const expected = keys.map((each) => rows.get(hex(each)))
      expect(values(await engine.getMany(keys))).toEqual(expected)
      // What comes later is not seen by what was opened before.
      const gone = encodeDeletedRange(everything.gte, everything.lt)
      const come = encodeFlatRows([{ key: Uint8Array.of(columnNumberFirst, 7), value: Uint8Array.of(7) }])
      await engine.commit([gone, come], false)
      expect(values(await view.getMany(keys))).toEqual(expected)
      expect(await read(scan, rowsAtOnce)).toEqual(inRange(rows, range))
      expect(await read(view.scan(range), rowsAtOnce)).toEqual(inRange(rows, range))
      expect(await read(whole, rowsAtOnce)).toEqual(inRange(rows, everything))
      expect(await read(view.scan({ ...everything, reverse: true }), rowsAtOnce)).toEqual(
        inRange(rows, { ...everything, reverse: true }),
      )
      await view.close()
      await restore(engine, rows)
      if (kind === 'memory' || index % 3 !== 0) continue
      await engine.close()
      engine = await openEngine({ kind, path })
    }
  } finally {
    await engine.close()
  }
}

async function restore(engine: Engine, rows: Rows): Promise<void> {
  const entries = [...rows].map(([name, value]) => ({
    key: new Uint8Array(Buffer.from(name, 'hex')),
    value: Uint8Array.of(value),
  }))
  await engine.commit([encodeDeletedRange(everything.gte, everything.lt), encodeFlatRows(entries)], false)
}
