/**
 * Schema 3 to 4: a task, its deliveries and its events become one record, and the book gets opening entries for what was earned
 * and for what is owed to live tasks. Some records at a time, each step with the cursor from which a killed run goes on.
 */
import { isEnded, standingRecord, taskRecord } from '@shardy/dispatch'
import { type BookEntry, defaultParameters } from '@shardy/ledger'
import type { Message, TimeMs } from '@shardy/protocol'
import { type Migration, type MigrationStore, type Operation, prefixRange } from '@shardy/storage'
import { outboxRow } from '../book/outboxRow.ts'
import { numberKey } from '../tables.ts'
import { decodeRecord } from '../tasks/archive.ts'
import { convertStanding, convertTask, openingOfTask, openingOfWorker } from './convert.ts'
import { oldDelivery, oldEvent, oldStanding, oldTask } from './schema3.ts'

/** Rows that are converted in one write: a task takes 64 kB of program at most. */
const rowsAtOnceMax = 100

const phases = ['tasks', 'standings', 'done'] as const
type Phase = (typeof phases)[number]

/** How far it has come: which table, behind which key, and how many rows the outbox has. */
interface Cursor {
  readonly phase: Phase
  readonly posted: number
  readonly last: Uint8Array
}

const beginning: Cursor = { phase: 'tasks', posted: 0, last: new Uint8Array(0) }

function encodeCursor({ phase, posted, last }: Cursor): Uint8Array {
  const bytes = new Uint8Array(9 + last.length)
  bytes[0] = phases.indexOf(phase)
  bytes.set(numberKey(posted), 1)
  bytes.set(last, 9)
  return bytes
}

function decodeCursor(bytes: Uint8Array): Cursor {
  const phase = phases[bytes[0] ?? phases.length]
  if (phase === undefined || bytes.length < 9) throw new Error('the cursor of the migration is broken')
  const posted = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(1))
  return { phase, posted, last: bytes.slice(9) }
}

async function rowsOf<T>(
  store: MigrationStore,
  table: string,
  definition: Message<T>,
  prefix: Uint8Array,
): Promise<readonly T[]> {
  const found: T[] = []
  for await (const { value } of store.iterate(table, prefixRange(prefix))) {
    found.push(decodeRecord(definition, value))
  }
  return found
}

/** Everything that follows from one row: what to write, and what the book is told in the row of the outbox that comes with it. */
interface Converted {
  readonly operations: readonly Operation[]
  readonly entries: readonly BookEntry[]
  readonly atMs: TimeMs
}

async function taskAt(store: MigrationStore, key: Uint8Array, value: Uint8Array): Promise<Converted> {
  const old = decodeRecord(oldTask, value)
  const deliveries = await rowsOf(store, 'deliveries', oldDelivery, key)
  const events = await rowsOf(store, 'events', oldEvent, key)
  const record = taskRecord.encode(convertTask(old, deliveries, events))
  const atMs = old.submittedAtMs
  if (!isEnded(old.status)) {
    const operations: Operation[] = [
      { kind: 'put', table: 'liveTasks', key, value: record },
      { kind: 'delete', table: 'tasks', key },
    ]
    return { operations, entries: openingOfTask(old, defaultParameters.feePermille), atMs }
  }
  const operations: Operation[] = [{ kind: 'put', table: 'tasks', key, value: record }]
  if (old.status === 'dead')
    operations.push({ kind: 'put', table: 'deadLetters', key, value: new Uint8Array(0) })
  return { operations, entries: [], atMs }
}

async function standingAt(_: MigrationStore, key: Uint8Array, value: Uint8Array): Promise<Converted> {
  const old = decodeRecord(oldStanding, value)
  const record = standingRecord.encode(convertStanding(old))
  const operations: Operation[] = [{ kind: 'put', table: 'standings', key, value: record }]
  return { operations, entries: openingOfWorker(old), atMs: old.firstSeenMs }
}

const steps = {
  tasks: { convert: taskAt, next: 'standings' },
  standings: { convert: standingAt, next: 'done' },
} as const

export async function migrate(store: MigrationStore, rowsAtOnce = rowsAtOnceMax): Promise<void> {
  let cursor = store.cursor === undefined ? beginning : decodeCursor(store.cursor)
  while (cursor.phase !== 'done') {
    const { phase } = cursor
    const { convert, next } = steps[phase]
    const operations: Operation[] = []
    let { posted, last } = cursor
    let rows = 0
    const range = { ...(last.length > 0 && { gte: Uint8Array.of(...last, 0) }), limit: rowsAtOnce }
    for await (const { key, value } of store.iterate(phase, range)) {
      const converted = await convert(store, key, value)
      operations.push(...converted.operations)
      if (converted.entries.length > 0) {
        posted++
        const row = outboxRow(converted.atMs, converted.entries)
        operations.push({ kind: 'put', table: 'outbox', key: numberKey(posted), value: row })
      }
      last = key.slice()
      rows++
    }
    cursor = rows < rowsAtOnce ? { phase: next, posted, last: new Uint8Array(0) } : { phase, posted, last }
    await store.write(operations, encodeCursor(cursor))
  }
}

export const from3to4: Migration = {
  from: 3,
  to: 4,
  drops: ['deliveries', 'events'],
  migrate: (store) => migrate(store),
}
