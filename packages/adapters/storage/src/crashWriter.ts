/**
 * The process that `crash.test.ts` kills: writes numbered batches, each to both tables, several at a time so that
 * commits are grouped, and prints a number only once its batch was acknowledged.
 */
import { writeSync } from 'node:fs'
import { openStore, type StoreKind } from './openStore.ts'
import type { Operation } from './store.ts'

/** The tables of the conformance suite, whose openings the test uses. */
const tables = ['left', 'right'] as const
const writersAtOnce = 4
const rowsPerTable = 5

export function crashBatch(number: number): Operation<(typeof tables)[number]>[] {
  return tables.flatMap((table) =>
    Array.from({ length: rowsPerTable }, (_, row) => {
      const key = new Uint8Array(8)
      new DataView(key.buffer).setUint32(0, number)
      new DataView(key.buffer).setUint32(4, row)
      return { kind: 'put', table, key, value: new Uint8Array(200).fill(number % 256) } as const
    }),
  )
}

export const rowsPerCrashBatch = tables.length * rowsPerTable

if (import.meta.main) {
  const [kind = 'rocksdb', path = '', sync = '', first = '0'] = process.argv.slice(2)
  const place = { kind: kind as StoreKind, path }
  // One table lies apart from the other, and a batch is whole all the same.
  const store = await openStore({ ...place, tables, columns: ['right'], schemaVersion: 1 })
  let next = Number(first)
  const writer = async (): Promise<void> => {
    // Ends with the process; the bound is for a parent that is gone.
    while (next < Number(first) + 100_000) {
      const number = next++
      await store.write(crashBatch(number), { sync: sync === 'sync' })
      writeSync(1, `${number}\n`)
    }
  }
  await Promise.all(Array.from({ length: writersAtOnce }, writer))
}
