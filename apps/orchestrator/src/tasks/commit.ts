/**
 * One commit: records, standings, offences, events and what the book is told go to the disk in one synced batch, all or nothing. The book
 * hears of it only once it is there.
 */

import type { BookEffect, Offence } from '@shardy/dispatch'
import type { Operation, Store } from '@shardy/storage'
import type { Bookkeeper } from '../book/bookkeeper.ts'
import type { Clock } from '../clock.ts'
import type { Table } from '../tables.ts'
import type { EventLog } from '../telemetry/eventLog.ts'
import type { Archive } from './archive.ts'
import type { Changes } from './dispatcher.ts'
import { type Evidence, type MakeEvidence, offenceOperation } from './offences.ts'
import { streamedEvent, streamedOffence } from './streamed.ts'

export interface CommitParts {
  readonly store: Store<Table>
  readonly clock: Clock
  readonly archive: Pick<Archive, 'operations'>
  readonly bookkeeper: Pick<Bookkeeper, 'post' | 'entryOf'>
  readonly evidenceOf: MakeEvidence
  readonly eventLog: Pick<EventLog, 'append'>
  /** Tells how many rows it wrote and how long that took. */
  written?(operations: number, ms: number): void
}

export function createCommit(parts: CommitParts) {
  const { store, clock, archive, bookkeeper, evidenceOf, eventLog } = parts
  let written: Promise<void> = Promise.resolve()

  /** After all before it, and not when one of them failed: it rests on what they hold. */
  function write(operations: readonly Operation<Table>[]): Promise<void> {
    const before = written
    written = (async () => {
      await before
      const startedMs = clock.nowMs()
      await store.write(operations, { sync: true })
      parts.written?.(operations.length, clock.nowMs() - startedMs)
    })()
    return written
  }

  /** Those of a commit in turn, behind those of whoever came before. */
  async function gather(
    offences: readonly Offence[],
    before: Promise<unknown> | undefined,
  ): Promise<ReadonlyMap<Offence, Evidence>> {
    await before
    const evidences = new Map<Offence, Evidence>()
    for (const offence of offences) evidences.set(offence, await evidenceOf(offence))
    return evidences
  }

  let gathering: Promise<unknown> | undefined

  return async function commit(changes: Changes): Promise<void> {
    const { entries, offences, published } = changes
    // Taken now: what an earlier commit brings about may let go of bytes while evidence is gathered.
    const operations = archive.operations(changes)
    const records = published.map(streamedEvent)
    let evidences: ReadonlyMap<Offence, Evidence> | undefined
    if (offences.length > 0 || gathering !== undefined) {
      const own = gather(offences, gathering)
      gathering = own
      evidences = await own
      if (gathering === own) gathering = undefined
    }
    for (const [offence, { bytes }] of evidences ?? []) {
      operations.push(offenceOperation(offence, bytes, clock.nowMs()))
      records.push(streamedOffence(offence, undefined, clock.nowMs()))
    }
    const entryOf = (effect: BookEffect) =>
      bookkeeper.entryOf(effect, effect.kind === 'slash' ? evidences?.get(effect.offence)?.digest : undefined)
    // A worker that has nothing loses nothing, and the book takes no entry over nothing.
    const booked = entries.map(entryOf).filter((entry) => entry.kind !== 'slash' || entry.amount > 0n)
    const posting = booked.length > 0 ? bookkeeper.post(booked) : undefined
    if (posting !== undefined) operations.push(...posting.operations)
    const appending = records.length > 0 ? eventLog.append(records) : undefined
    if (appending !== undefined) operations.push(...appending.operations)
    if (operations.length > 0) await write(operations)
    appending?.committed()
    posting?.committed()
  }
}
