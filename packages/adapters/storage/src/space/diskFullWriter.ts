/**
 * Fills a disk with a store, sees what holds then, makes room and sees what holds again; prints its findings as one
 * line of JSON. It runs inside a mount of its own (`diskFull.test.ts`) and enlarges that.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { openStore, type StoreKind } from '../openStore.ts'
import type { Operation, Store } from '../store.ts'
import { StoreError } from '../storeError.ts'

const rowsPerBatch = 4
const valueBytes = 60_000

/** Every batch has rows in both, which lie apart. */
const tables = ['rows', 'apart'] as const
type Table = (typeof tables)[number]

export interface DiskFullFindings {
  readonly acknowledgedRows: number
  /** `''` for a write that succeeded. */
  readonly refusal: string
  readonly refusedAgain: string
  readonly rowsWhileFull: number
  readonly getWhileFull: boolean
  readonly afterRoom: string
  readonly rowsAfterRoom: number
  readonly oldSnapshot: string
  readonly rowsReopened: number
  readonly tornBatches: number
}

function batchOf(number: number): Operation<Table>[] {
  return Array.from({ length: rowsPerBatch }, (_, row) => {
    const value = crypto.getRandomValues(new Uint8Array(valueBytes))
    return { kind: 'put', table: tables[row % 2] ?? 'rows', key: keyOf(number, row), value } as const
  })
}

function keyOf(number: number, row: number): Uint8Array {
  const key = new Uint8Array(8)
  new DataView(key.buffer).setUint32(0, number)
  new DataView(key.buffer).setUint32(4, row)
  return key
}

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => '',
    (error: unknown) => (error instanceof StoreError ? error.kind : String(error)),
  )
}

async function batchesIn(store: Store<Table>): Promise<Map<number, number>> {
  const batches = new Map<number, number>()
  for (const table of tables) {
    for await (const { key } of store.iterate(table)) {
      const number = new DataView(key.buffer, key.byteOffset).getUint32(0)
      batches.set(number, (batches.get(number) ?? 0) + 1)
    }
  }
  return batches
}

async function rowsIn(store: Store<Table>): Promise<number> {
  return [...(await batchesIn(store)).values()].reduce((sum, count) => sum + count, 0)
}

if (import.meta.main) {
  const [kind = 'rocksdb', folder = ''] = process.argv.slice(2)
  const place = { kind: kind as StoreKind, path: join(folder, 'store') }
  const open = () => openStore({ ...place, tables, columns: ['apart'], schemaVersion: 1 })
  const store = await open()
  let number = 0
  let refusal = ''
  while (refusal === '' && number < 10_000) {
    refusal = await outcomeOf(store.write(batchOf(number), { sync: true }))
    if (refusal === '') number += 1
  }
  const refusedAgain = await outcomeOf(store.write(batchOf(number + 1), { sync: true }))
  const rowsWhileFull = await rowsIn(store)
  const getWhileFull = (await store.get('rows', keyOf(0, 0)))?.byteLength === valueBytes
  const snapshot = await store.snapshot()
  spawnSync('mount', ['-o', 'remount,size=256m', folder])
  const afterRoom = await outcomeOf(store.write(batchOf(number + 2), { sync: true }))
  const rowsAfterRoom = await rowsIn(store)
  const oldSnapshot = await outcomeOf(snapshot.get('rows', keyOf(0, 0)))
  await store.close()
  const reopened = await open()
  const found = await batchesIn(reopened)
  const findings: DiskFullFindings = {
    acknowledgedRows: number * rowsPerBatch,
    refusal,
    refusedAgain,
    rowsWhileFull,
    getWhileFull,
    afterRoom,
    rowsAfterRoom,
    oldSnapshot,
    rowsReopened: await rowsIn(reopened),
    tornBatches: [...found.values()].filter((count) => count !== rowsPerBatch).length,
  }
  await reopened.close()
  console.log(JSON.stringify(findings))
}
