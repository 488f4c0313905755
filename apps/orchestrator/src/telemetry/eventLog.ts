/**
 * The log of all events: a row in the store for each commit, written in the same batch as what happened, and the
 * newest events in memory for those who follow. An event is seen once it is durable, in the order of its sequence.
 * Sequences ascend and never come twice; a batch that was given up leaves a hole, which is no loss.
 */
import type { TimeMs } from '@shardy/protocol'
import type { Operation, Store } from '@shardy/storage'
import { numberKey, type Table } from '../tables.ts'
import { decodeRecord } from '../tasks/archive.ts'
import {
  recordsPerRowMax,
  type StreamEvent,
  type StreamRecord,
  streamBeginning,
  streamRow,
} from './streamRecord.ts'

export interface EventLogPolicy {
  /** What is older is let go. */
  readonly ageMsMax: number
  readonly bytesMax: number
  /** The newest events that are kept in memory. */
  readonly recentMax: number
}

export const defaultEventLogPolicy: EventLogPolicy = {
  ageMsMax: 7 * 86_400_000,
  bytesMax: 1024 * 1024 * 1024,
  recentMax: 16_384,
}

/** Events on their way to the disk. Exactly one of the two is called, once the batch's fate is known. */
export interface Appending {
  readonly operations: readonly Operation<Table>[]
  committed(): void
  abandoned(): void
}

export type EventPage =
  /** In order, all later than asked; the cursor is as far as was looked. None: there is nothing newer. */
  | { readonly kind: 'events'; readonly events: readonly StreamEvent[]; readonly cursor: number }
  /** Events behind the cursor are gone; from `oldestCursor` on none is missing. */
  | { readonly kind: 'cursorTooOld'; readonly oldestCursor: number }

export interface EventLog {
  /** Gives the next sequences to what has been decided, in the order of the calls. */
  append(records: readonly StreamRecord[]): Appending
  /** The sequence of the newest event that may be seen; 0 before the first. */
  newest(): number
  oldestCursor(): number
  keptBytes(): number
  /** Some of the events after a cursor. */
  read(after: number): EventPage | Promise<EventPage>
  /** Called when something newer may be seen. The returned function ends it. */
  subscribe(listener: () => void): () => void
  /** Lets go of a bounded number of rows that are too old or too many; says whether there may be more. */
  compact(nowMs: TimeMs): Promise<boolean>
}

const pageEventsMax = 512
/** Rows looked at in one step of compaction, and read for one page. */
const rowsPerStep = 64
const rowsPerPage = 4
const beginningKey = numberKey(0)

interface Pending {
  readonly events: readonly StreamEvent[]
  readonly bytesEnd: number
  fate: 'open' | 'committed' | 'abandoned'
}

function sequenceOf(key: Uint8Array): number {
  return Number(new DataView(key.buffer, key.byteOffset, key.byteLength).getBigUint64(0))
}

export async function openEventLog(
  store: Store<Table>,
  policy: EventLogPolicy = defaultEventLogPolicy,
): Promise<EventLog> {
  const table = 'eventLog'
  const rowOf = (value: Uint8Array) => decodeRecord(streamRow, value)
  const { recentMax } = policy

  let newest = 0
  let oldestCursor = 0
  /** Behind the newest row, and before the oldest. */
  let bytesEnd = 0
  let bytesBegin = 0
  for await (const { key, value } of store.iterate(table, { reverse: true, limit: 1 })) {
    newest = sequenceOf(key)
    bytesEnd = rowOf(value).bytesBefore + value.length
  }
  const beginning = await store.get(table, beginningKey)
  if (beginning !== undefined) {
    const decoded = decodeRecord(streamBeginning, beginning)
    oldestCursor = decoded.oldestCursor
    bytesBegin = decoded.bytesBefore
  }

  /** What was given away; runs ahead of `newest` by what is on its way. */
  let given = newest
  let givenBytes = bytesEnd
  const pending: Pending[] = []
  /** A ring: an event lies at its place among those that were published, counted from the start of this process. */
  const recent: StreamEvent[] = []
  let published = 0
  /** All events after it are in the ring. */
  let recentAfter = newest
  const listeners = new Set<() => void>()

  function publish(events: readonly StreamEvent[]): void {
    for (const event of events) {
      const place = published++ % recentMax
      const leaving = recent[place]
      if (leaving !== undefined) recentAfter = leaving.sequence
      recent[place] = event
    }
    newest = events.at(-1)?.sequence ?? newest
  }

  /** Those whose fate is known, up to the first that is still on its way. */
  function settle(): void {
    const before = newest
    for (let first = pending[0]; first !== undefined && first.fate !== 'open'; first = pending[0]) {
      pending.shift()
      if (first.fate === 'abandoned') continue
      publish(first.events)
      bytesEnd = first.bytesEnd
    }
    if (newest > before) for (const listener of [...listeners]) listener()
  }

  function pageFromRecent(after: number): EventPage {
    const size = Math.min(published, recentMax)
    const at = (index: number): StreamEvent | undefined => recent[(published - size + index) % recentMax]
    // The first that is later; there may be holes between sequences, so it is searched for.
    let low = 0
    for (let high = size; low < high; ) {
      const middle = (low + high) >>> 1
      if ((at(middle)?.sequence ?? 0) > after) high = middle
      else low = middle + 1
    }
    const events: StreamEvent[] = []
    for (let index = low; index < size && events.length < pageEventsMax; index++) {
      const event = at(index)
      if (event !== undefined) events.push(event)
    }
    return { kind: 'events', events, cursor: events.at(-1)?.sequence ?? after }
  }

  async function pageFromStore(after: number): Promise<EventPage> {
    const upTo = newest
    const events: StreamEvent[] = []
    const range = { gte: numberKey(after + 1), limit: rowsPerPage }
    let cursor = upTo
    for await (const { key, value } of store.iterate(table, range)) {
      const last = sequenceOf(key)
      // Written, and not yet to be seen.
      if (last > upTo) break
      const { records } = rowOf(value)
      for (const [index, record] of records.entries()) {
        const sequence = last - records.length + 1 + index
        if (sequence > after) events.push({ sequence, record })
      }
      cursor = last
      if (events.length >= pageEventsMax) break
    }
    // Compaction may have come between; it says so before it deletes anything.
    return after < oldestCursor ? { kind: 'cursorTooOld', oldestCursor } : { kind: 'events', events, cursor }
  }

  return {
    append(records) {
      const operations: Operation<Table>[] = []
      const events: StreamEvent[] = []
      for (let from = 0; from < records.length; from += recordsPerRowMax) {
        const part = records.slice(from, from + recordsPerRowMax)
        for (const record of part) events.push({ sequence: ++given, record })
        const value = streamRow.encode({ bytesBefore: givenBytes, records: part })
        givenBytes += value.length
        operations.push({ kind: 'put', table, key: numberKey(given), value })
      }
      const own: Pending = { events, bytesEnd: givenBytes, fate: 'open' }
      pending.push(own)
      const decide = (fate: Pending['fate']) => (): void => {
        if (own.fate !== 'open') throw new Error('the fate of these events is known already')
        own.fate = fate
        settle()
      }
      return { operations, committed: decide('committed'), abandoned: decide('abandoned') }
    },
    newest: () => newest,
    oldestCursor: () => oldestCursor,
    keptBytes: () => bytesEnd - bytesBegin,
    read(after) {
      if (after >= newest) return { kind: 'events', events: [], cursor: after }
      if (after < oldestCursor) return { kind: 'cursorTooOld', oldestCursor }
      return after >= recentAfter ? pageFromRecent(after) : pageFromStore(after)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async compact(nowMs) {
      const leaving: Operation<Table>[] = []
      let cursor = oldestCursor
      let begin = bytesBegin
      let isMore = false
      const range = { gte: numberKey(oldestCursor + 1), limit: rowsPerStep }
      for await (const { key, value } of store.iterate(table, range)) {
        isMore = false
        const last = sequenceOf(key)
        // The newest row stays: it is what says which sequence comes next.
        if (last >= newest) break
        const { bytesBefore, records } = rowOf(value)
        const isOld = (records.at(-1)?.atMs ?? 0) + policy.ageMsMax < nowMs
        if (!isOld && bytesEnd - bytesBefore <= policy.bytesMax) break
        leaving.push({ kind: 'delete', table, key })
        cursor = last
        begin = bytesBefore + value.length
        isMore = true
      }
      if (leaving.length === 0) return false
      // First said, then done: who reads meanwhile learns that it came too late, and never of a gap.
      oldestCursor = cursor
      bytesBegin = begin
      const value = streamBeginning.encode({ oldestCursor, bytesBefore: bytesBegin })
      await store.write([...leaving, { kind: 'put', table, key: beginningKey, value }], { sync: false })
      return isMore
    },
  }
}
