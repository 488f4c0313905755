/**
 * Two migrations that move rows, to a table in a column of its own, and would show if one ran twice over a row; and the
 * process that `migration.test.ts` kills in the middle of them.
 */
import { writeSync } from 'node:fs'
import type { Engine } from './engine.ts'
import type { Migration } from './migration.ts'
import { openStore, type StoreKind } from './openStore.ts'
import type { Entry, Operation, Store } from './store.ts'

const rowsAtOnce = 4
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const rowsBefore = Array.from({ length: 14 }, (_, index) => `row${String(index).padStart(2, '0')}`)

export async function writeRowsBefore(store: Store<'old' | 'kept'>): Promise<void> {
  const rows = rowsBefore.map(
    (row) => ({ kind: 'put', table: 'old', key: encoder.encode(row), value: encoder.encode('v') }) as const,
  )
  const kept = {
    kind: 'put',
    table: 'kept',
    key: encoder.encode('k'),
    value: encoder.encode('kept'),
  } as const
  await store.write([...rows, kept], { sync: true })
}

/** One character for each migration that passed over the row. */
export function migratedRows(rows: readonly string[]): string[] {
  return rows.map((row) => `${row}=vxy`)
}

export const schemaAfter = { tables: ['kept', 'made'], columns: ['made'] } as const

export const steps: readonly Migration[] = [
  overRows(3, 4, 'old', ({ key, value }) => [
    { kind: 'delete', table: 'old', key },
    { kind: 'put', table: 'made', key, value: encoder.encode(`${decoder.decode(value)}x`) },
  ]),
  {
    ...overRows(4, 5, 'made', ({ key, value }) => [
      { kind: 'put', table: 'made', key, value: encoder.encode(`${decoder.decode(value)}y`) },
    ]),
    drops: ['old'],
  },
]

function overRows(
  from: number,
  to: number,
  table: string,
  change: (row: Entry) => readonly Operation[],
): Migration {
  return {
    from,
    to,
    async migrate(store) {
      let batch: Operation[] = []
      let rows = 0
      let last = store.cursor
      const gte = last === undefined ? undefined : Uint8Array.of(...last, 0)
      for await (const row of store.iterate(table, { gte })) {
        batch.push(...change(row))
        last = row.key
        rows += 1
        if (rows % rowsAtOnce !== 0) continue
        await store.write(batch, last)
        if (import.meta.main) writeSync(1, `${rows}\n`)
        batch = []
      }
      if (last !== undefined && batch.length > 0) await store.write(batch, last)
    },
  }
}

/** An engine that works until its n-th write, which and all after it fail without a trace. */
export function killedAtWrite(engine: Engine, stopAt: number): Engine & { writes(): number } {
  let writes = 0
  return {
    getMany: (keys) => engine.getMany(keys),
    scan: (range) => engine.scan(range),
    view: () => engine.view(),
    close: () => engine.close(),
    writes: () => writes,
    async commit(batches, sync) {
      if (writes + 1 >= stopAt) throw new Error('stopped here')
      await engine.commit(batches, sync)
      writes += 1
    },
  }
}

if (import.meta.main) {
  const [kind = 'rocksdb', path = ''] = process.argv.slice(2)
  await openStore({
    kind: kind as StoreKind,
    path,
    ...schemaAfter,
    schemaVersion: 5,
    migrations: steps,
  })
  writeSync(1, 'opened\n')
  await new Promise(() => setInterval(() => {}, 60_000))
}
