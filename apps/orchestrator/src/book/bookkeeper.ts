/**
 * Keeps the book (docs/spec/ledger.md). What it is told goes into the outbox in the same atomic batch as what justifies it, and
 * is applied once that is durable, exactly once and in order; the book's own rows follow a little later, together with the
 * removal of the outbox rows that they contain. A crash between the two applies the outbox again.
 */
import type { BookEffect, Stake } from '@shardy/dispatch'
import {
  type Book,
  type BookEntry,
  type BookParameters,
  type BookRefusal,
  describeBookRefusal,
  feeOf,
  type Row,
  restoreBook,
} from '@shardy/ledger'
import type { Digest, MicroCredit, RequesterId, TimeMs, WorkerId } from '@shardy/protocol'
import { type Operation, prefixRange, type Store } from '@shardy/storage'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { numberKey, type Table } from '../tables.ts'
import { outboxRow, readOutboxRow } from './outboxRow.ts'
import { spentOn } from './spent.ts'

/** Entries on their way to the disk. */
export interface Posting {
  readonly operations: readonly Operation<Table>[]
  /** They are durable. Called in any order; the book applies them in their own. */
  committed(): void
}

export interface Bookkeeper {
  readonly book: Book
  /** Numbers the entries and says what to write. Nothing is skipped: who cannot write them stops the process. */
  post(entries: readonly BookEntry[]): Posting
  /** Entries that nothing else has to be atomic with. */
  postAlone(entries: readonly BookEntry[]): Promise<void>
  /** A slash names the evidence that it rests on. */
  entryOf(effect: BookEffect, evidenceDigest?: Digest): BookEntry
  /** Sets aside what a submission will put in escrow; undefined when that many are there. */
  reserve(requesterId: RequesterId, reward: MicroCredit): BookRefusal | undefined
  /** The same for so many of one reward, as far as it goes; `refusal` says why not all. */
  reserveUpTo(
    requesterId: RequesterId,
    reward: MicroCredit,
    count: number,
  ): { readonly count: number; readonly refusal: BookRefusal | undefined }
  /** What submissions under way have set aside. */
  reserved(requesterId: RequesterId): MicroCredit
  /** The submissions are in the book, or will never be. */
  release(requesterId: RequesterId, reward: MicroCredit, count?: number): void
  readonly grantMicroCredit: MicroCredit
  /** Who comes for the first time finds the grant; whoever comes again finds what is left. */
  welcome(requesterId: RequesterId): Promise<void>
  stake(workerId: WorkerId): Stake
  /** Outbox rows that are not applied and saved. */
  lag(): number
  close(): Promise<void>
}

export interface BookkeeperParts {
  readonly store: Store<Table>
  readonly clock: Clock
  readonly log: Log
  readonly parameters: BookParameters
  /** Test credits that a requester finds when it comes for the first time. */
  readonly grantMicroCredit: MicroCredit
  /** What the book was told may be on disk or not: only the store can say, to the process that comes next. */
  fatal(error: unknown): void
}

/** Rows of tasks that came and went meanwhile are never written. */
const saveMs = 2_000

const decodeText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const encodeText = (text: string): Uint8Array => new TextEncoder().encode(text)

/** That a requester had its grant is known for good: its account may be empty, or not be saved yet. */
const grantedPrefix = 'granted/'

export async function openBookkeeper(parts: BookkeeperParts): Promise<Bookkeeper> {
  const { store, clock, log, parameters, grantMicroCredit, fatal } = parts
  const rows: Row[] = []
  for await (const { key, value } of store.iterate('book')) rows.push({ key: decodeText(key), value })
  const restored = restoreBook(parameters, rows)
  if (!restored.ok) throw new Error('the book in the store is broken', { cause: restored.problem })
  const { book } = restored
  /** What was durable when we began, in order. A hole is a batch that the store refused, with all that was in it. */
  for await (const { key, value } of store.iterate('outbox')) {
    const sequence = Number(new DataView(key.buffer, key.byteOffset).getBigUint64(0))
    if (sequence <= book.appliedSequence) continue
    const { atMs, entries } = readOutboxRow(value)
    while (book.appliedSequence + 1 < sequence) book.apply(book.appliedSequence + 1, atMs, [])
    apply(sequence, atMs, entries)
  }
  let next = book.appliedSequence + 1
  let savedSequence = 0
  /** Taken out of the book and not on disk yet. */
  const unsaved = new Map<string, Row>()
  /** What is durable but waits for an earlier row. */
  const ready = new Map<number, { readonly atMs: TimeMs; readonly entries: readonly BookEntry[] }>()
  const reserved = new Map<RequesterId, bigint>()
  const granted = new Map<RequesterId, Promise<void>>()
  /** What entries on their way will take of a worker: two of one commit cannot both take the same. */
  const slashing = new Map<WorkerId, bigint>()
  let saving: Promise<void> = Promise.resolve()
  let cancelSave: (() => void) | undefined
  let closed = false

  for await (const { key } of store.iterate('counters', prefixRange(encodeText(grantedPrefix)))) {
    granted.set(decodeText(key).slice(grantedPrefix.length) as RequesterId, Promise.resolve())
  }
  await save()

  function apply(sequence: number, atMs: TimeMs, entries: readonly BookEntry[]): void {
    for (const { index, refusal } of book.apply(sequence, atMs, entries)) {
      // What is posted was looked at before; this is a bug of ours, and the money stays where it was.
      const entry = entries[index]
      log.error('entryRefused', new Error(describeBookRefusal(refusal)), {
        sequence,
        entry: entry?.kind ?? '',
      })
    }
  }

  function applyReady(): void {
    for (;;) {
      const sequence = book.appliedSequence + 1
      const row = ready.get(sequence)
      if (row === undefined) break
      ready.delete(sequence)
      apply(sequence, row.atMs, row.entries)
      for (const entry of row.entries)
        if (entry.kind === 'slash') forgetSlashing(entry.workerId, entry.amount)
    }
    if (cancelSave === undefined && !closed) cancelSave = clock.after(saveMs, startSave)
  }

  function forgetSlashing(workerId: WorkerId, amount: bigint): void {
    const left = (slashing.get(workerId) ?? 0n) - amount
    if (left > 0n) slashing.set(workerId, left)
    else slashing.delete(workerId)
  }

  function startSave(): void {
    cancelSave = undefined
    saving = saving.then(save).catch((error: unknown) => log.error('bookNotSaved', error))
  }

  /** The outbox still holds what this does not reach. */
  async function save(): Promise<void> {
    const through = book.appliedSequence
    if (through === savedSequence) return
    // The book gives a row once; should the write fail, it goes with the next.
    for (const row of book.dirty()) unsaved.set(row.key, row)
    const operations = [...unsaved.values()].map(
      ({ key, value }): Operation<Table> =>
        value === undefined
          ? { kind: 'delete', table: 'book', key: encodeText(key) }
          : { kind: 'put', table: 'book', key: encodeText(key), value },
    )
    operations.push({
      kind: 'deleteRange',
      table: 'outbox',
      gte: numberKey(savedSequence),
      lt: numberKey(through + 1),
    })
    await store.write(operations, { sync: false })
    unsaved.clear()
    savedSequence = through
  }

  function post(entries: readonly BookEntry[]): Posting {
    const sequence = next++
    const atMs = clock.nowMs()
    const value = outboxRow(atMs, entries)
    return {
      operations: [{ kind: 'put', table: 'outbox', key: numberKey(sequence), value }],
      committed() {
        ready.set(sequence, { atMs, entries })
        applyReady()
      },
    }
  }

  async function postAlone(
    entries: readonly BookEntry[],
    more: readonly Operation<Table>[] = [],
  ): Promise<void> {
    const posting = post(entries)
    try {
      await store.write([...posting.operations, ...more], { sync: true })
    } catch (error) {
      fatal(error)
      throw error
    }
    posting.committed()
  }

  const escrowOf = (reward: MicroCredit): bigint => reward + feeOf(reward, parameters.feePermille)

  function reserveUpTo(requesterId: RequesterId, reward: MicroCredit, count: number) {
    const each = escrowOf(reward)
    const before = reserved.get(requesterId) ?? 0n
    const available = book.balance({ kind: 'requester', requesterId }) - before
    const affordable = each === 0n ? count : Math.min(count, available < each ? 0 : Number(available / each))
    if (affordable > 0) reserved.set(requesterId, before + each * BigInt(affordable))
    if (affordable === count) return { count, refusal: undefined }
    const refusal = {
      kind: 'insufficientFunds',
      account: `requester/${requesterId}`,
      needed: each * BigInt(count),
      available: available > 0n ? available : 0n,
    } as BookRefusal
    return { count: affordable, refusal }
  }

  async function grant(requesterId: RequesterId): Promise<void> {
    const key = encodeText(grantedPrefix + requesterId)
    const mark: Operation<Table> = { kind: 'put', table: 'counters', key, value: numberKey(clock.nowMs()) }
    await postAlone([{ kind: 'issue', requesterId, amount: grantMicroCredit }], [mark])
  }

  return {
    book,
    post,
    postAlone,
    entryOf(effect, evidenceDigest) {
      switch (effect.kind) {
        case 'escrow': {
          const { taskId, requesterId, rewardMicroCredit } = effect
          return { kind: 'escrow', taskId, requesterId, amount: escrowOf(rewardMicroCredit) as MicroCredit }
        }
        case 'verdict': {
          const { taskId, requesterId, payouts } = effect
          if (payouts.length === 0) return { kind: 'refund', taskId, requesterId }
          return {
            kind: 'verdict',
            taskId,
            requesterId,
            payouts: payouts.map(({ deliveryId, workerId, rewardMicroCredit }) => ({
              deliveryId,
              workerId,
              amount: rewardMicroCredit,
            })),
            spent: spentOn(effect.task.spec, payouts.length),
          }
        }
        case 'slash': {
          const { deliveryId, workerId, consequence } = effect.offence
          if (evidenceDigest === undefined) throw new Error(`the slash of ${deliveryId} has no evidence`)
          const asked = 'amountMicroCredit' in consequence ? consequence.amountMicroCredit : 0n
          const promised = slashing.get(workerId) ?? 0n
          const most = book.slashable(workerId) - promised
          const amount = (asked < most ? asked : most > 0n ? most : 0n) as MicroCredit
          slashing.set(workerId, promised + amount)
          return { kind: 'slash', workerId, deliveryId, evidenceDigest, amount }
        }
      }
    },
    reserve: (requesterId, reward) => reserveUpTo(requesterId, reward, 1).refusal,
    reserveUpTo,
    reserved: (requesterId) => (reserved.get(requesterId) ?? 0n) as MicroCredit,
    grantMicroCredit,
    release(requesterId, reward, count = 1) {
      const left = (reserved.get(requesterId) ?? 0n) - escrowOf(reward) * BigInt(count)
      if (left > 0n) reserved.set(requesterId, left)
      else reserved.delete(requesterId)
    },
    stake: (workerId) => ({
      lockedMicroCredit: book.slashable(workerId) as MicroCredit,
      withdrawingMicroCredit: (book.slashable(workerId) -
        book.locked(workerId, clock.nowMs())) as MicroCredit,
    }),
    lag: () => next - 1 - savedSequence,
    welcome(requesterId) {
      let welcomed = granted.get(requesterId)
      if (welcomed === undefined) {
        welcomed = grantMicroCredit > 0n ? grant(requesterId) : Promise.resolve()
        granted.set(requesterId, welcomed)
      }
      return welcomed
    },
    async close() {
      closed = true
      cancelSave?.()
      await saving
      await save()
    },
  }
}
