/** A row of the outbox: when it was posted, and what the book is told. */
import { type BookEntry, decodeEntries, encodeEntries } from '@shardy/ledger'
import type { TimeMs } from '@shardy/protocol'
import { numberKey } from '../tables.ts'

export function outboxRow(atMs: TimeMs, entries: readonly BookEntry[]): Uint8Array {
  const content = encodeEntries(entries)
  const value = new Uint8Array(8 + content.length)
  value.set(numberKey(atMs))
  value.set(content, 8)
  return value
}

export function readOutboxRow(value: Uint8Array): {
  readonly atMs: TimeMs
  readonly entries: readonly BookEntry[]
} {
  const atMs = Number(new DataView(value.buffer, value.byteOffset).getBigUint64(0)) as TimeMs
  const decoded = decodeEntries(value.subarray(8))
  if (!decoded.ok) throw new Error('the store holds a broken outbox row', { cause: decoded.refusal })
  return { atMs, entries: decoded.value }
}
