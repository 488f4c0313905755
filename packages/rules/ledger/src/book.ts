/**
 * The one book (spec L1–L19). Its owner changes it in place: the same entries at the same times give the same book, on
 * every machine. A driver applies its outbox row by row, and saves `dirty()` in one atomic batch.
 */
import { decodeHex, encodeHex, type MicroCredit, type TimeMs, type WorkerId } from '@shardy/protocol'
import {
  type Account,
  type AccountKey,
  escrowKey,
  feesKey,
  issuanceKey,
  requesterKey,
  slashedKey,
  stakeKey,
  vestingKey,
  workerKey,
} from './account.ts'
import type { BookEntry } from './entry.ts'
import type { Guard } from './guard.ts'
import type { BookParameters } from './parameters.ts'
import type { BookRefusal } from './refusal.ts'
import {
  escrowRowOf,
  type GuardName,
  guardKey,
  guardRow,
  isEmpty,
  partIdsMax,
  type Row,
  requesterRowOf,
  totalsOf,
  workerRowOf,
} from './row.ts'
import { dueAmount, waiting } from './schedule.ts'
import {
  issueCredits,
  openEscrow,
  refund,
  refuseCredits,
  refuseEscrow,
  refuseRefund,
  refuseVerdict,
  settle,
} from './settlement.ts'
import { createSheet, freeAt, type Sheet, totalOf } from './sheet.ts'
import {
  deposit,
  refuseDeposit,
  refuseSlash,
  refuseUnstake,
  refuseVest,
  refuseWithdraw,
  slash,
  slashableOf,
  unstake,
  vest,
  withdraw,
} from './stake.ts'
import type { NormalisedWork } from './work.ts'

export interface RefusedEntry {
  /** Of the entry in the row. */
  readonly index: number
  readonly refusal: BookRefusal
}

export interface Book {
  readonly parameters: BookParameters
  /** The last outbox row that was applied; 0 before the first. */
  readonly appliedSequence: number
  readonly atMs: TimeMs
  /** Normalised work of all verdicts. */
  readonly spent: NormalisedWork
  /** Whether the entry would be taken now; changes nothing. */
  check(entry: BookEntry, atMs: TimeMs): BookRefusal | undefined
  /** Each entry by itself, in order. A row that was applied before changes nothing; a missing one throws. */
  apply(sequence: number, atMs: TimeMs, entries: readonly BookEntry[]): readonly RefusedEntry[]
  /** Rows that changed since the last call, one for each key. Whoever cannot save them starts again from the store. */
  dirty(): readonly Row[]
  /** All rows, sorted by key: two books are the same when these are. */
  rows(): readonly Row[]
  /** As booked; what is due but not released is still where it waits. */
  balance(account: Account): bigint
  /** What a worker can withdraw. */
  free(workerId: WorkerId, atMs: TimeMs): MicroCredit
  /** What an identity loses at least when it is slashed in full: what vests, and stake that is not asked back. */
  locked(workerId: WorkerId, atMs: TimeMs): MicroCredit
  /** What a slash could take now, whatever its kind. */
  slashable(workerId: WorkerId): MicroCredit
  /** Over all accounts: zero. */
  total(): bigint
}

/** A row of the outbox was skipped: applying the next would lose it for good. */
export class OutboxGap extends Error {
  override readonly name = 'OutboxGap'
  readonly expected: number
  readonly actual: number

  constructor(expected: number, actual: number) {
    super(`outbox row ${expected} is missing: the next one given is ${actual}`)
    this.expected = expected
    this.actual = actual
  }
}

export function createBook(parameters: BookParameters): Book {
  return bookOf(createSheet(parameters))
}

export function bookOf(sheet: Sheet): Book {
  /** A clock that steps back makes nothing young again (L16). */
  const timeOf = (atMs: TimeMs) => Math.max(atMs, sheet.atMs) as TimeMs

  return {
    parameters: sheet.parameters,
    get appliedSequence() {
      return sheet.appliedSequence
    },
    get atMs() {
      return sheet.atMs as TimeMs
    },
    get spent() {
      return sheet.spent as NormalisedWork
    },
    check: (entry, atMs) => refuse(sheet, entry, timeOf(atMs)),
    apply(sequence, atMs, entries) {
      if (sequence <= sheet.appliedSequence) return []
      if (sequence !== sheet.appliedSequence + 1) throw new OutboxGap(sheet.appliedSequence + 1, sequence)
      if (!Number.isSafeInteger(atMs) || atMs < 0 || atMs > atMsMax) {
        throw new RangeError(`${atMs} is no time in milliseconds`)
      }
      const now = timeOf(atMs)
      sheet.paidGuard.expire(now)
      sheet.slashGuard.expire(now)
      const refused: RefusedEntry[] = []
      for (const [index, entry] of entries.entries()) {
        const refusal = refuse(sheet, entry, now)
        if (refusal === undefined) post(sheet, entry, now)
        else refused.push({ index, refusal })
      }
      sheet.appliedSequence = sequence
      sheet.atMs = now
      sheet.changed.isTotals = true
      return refused
    },
    dirty: () => takeChanged(sheet),
    rows: () => allRows(sheet),
    balance: (account) => balanceOf(sheet, account),
    free: (workerId, atMs) => freeAt(sheet.workers.get(workerId), timeOf(atMs)) as MicroCredit,
    locked: (workerId, atMs) => lockedAt(sheet, workerId, timeOf(atMs)),
    slashable: (workerId) => slashableOf(sheet, workerId) as MicroCredit,
    total: () => totalOf(sheet),
  }
}

/** Room for every delay after it: about the year 140,000. */
const atMsMax = 2 ** 52

function refuse(sheet: Sheet, entry: BookEntry, atMs: TimeMs): BookRefusal | undefined {
  switch (entry.kind) {
    case 'issue':
      return refuseCredits(sheet, entry)
    case 'escrow':
      return refuseEscrow(sheet, entry)
    case 'verdict':
      return refuseVerdict(sheet, entry, atMs)
    case 'refund':
      return refuseRefund(sheet, entry)
    case 'deposit':
      return refuseDeposit(sheet, entry, atMs)
    case 'unstake':
      return refuseUnstake(sheet, entry)
    case 'withdraw':
      return refuseWithdraw(sheet, entry, atMs)
    case 'vest':
      return refuseVest(sheet, entry, atMs)
    case 'slash':
      return refuseSlash(sheet, entry, atMs)
  }
}

function post(sheet: Sheet, entry: BookEntry, atMs: TimeMs): void {
  switch (entry.kind) {
    case 'issue':
      return issueCredits(sheet, entry)
    case 'escrow':
      return openEscrow(sheet, entry)
    case 'verdict':
      return settle(sheet, entry, atMs)
    case 'refund':
      return refund(sheet, entry)
    case 'deposit':
      return deposit(sheet, entry, atMs)
    case 'unstake':
      return unstake(sheet, entry, atMs)
    case 'withdraw':
      return withdraw(sheet, entry, atMs)
    case 'vest':
      return vest(sheet, entry, atMs)
    case 'slash':
      return slash(sheet, entry, atMs)
  }
}

/** The accounts that an entry may change, known before it is applied (L19). */
export function accountsOf(entry: BookEntry): readonly AccountKey[] {
  const ofWorker = (id: WorkerId) => [stakeKey(id), vestingKey(id), workerKey(id)]
  switch (entry.kind) {
    case 'issue':
      return [issuanceKey, requesterKey(entry.requesterId)]
    case 'escrow':
    case 'refund':
      return [escrowKey(entry.taskId), requesterKey(entry.requesterId)]
    case 'verdict': {
      const workers = [...new Set(entry.payouts.map(({ workerId }) => workerId))]
      return [escrowKey(entry.taskId), feesKey, requesterKey(entry.requesterId), ...workers.flatMap(ofWorker)]
    }
    case 'deposit': {
      const payer = entry.requesterId === undefined ? [] : [requesterKey(entry.requesterId)]
      return [...(entry.source === 'issuance' ? [issuanceKey] : payer), ...ofWorker(entry.workerId)]
    }
    case 'withdraw':
      return [requesterKey(entry.requesterId), ...ofWorker(entry.workerId)]
    case 'unstake':
    case 'vest':
      return ofWorker(entry.workerId)
    case 'slash':
      return [slashedKey, ...ofWorker(entry.workerId)]
  }
}

function lockedAt(sheet: Sheet, workerId: WorkerId, atMs: TimeMs): MicroCredit {
  const worker = sheet.workers.get(workerId)
  if (worker === undefined) return 0n as MicroCredit
  const { vesting, vestingDue, stake, leaving } = worker
  return (vesting.balance - dueAmount(vestingDue, atMs) + stake.balance - waiting(leaving)) as MicroCredit
}

function balanceOf(sheet: Sheet, account: Account): bigint {
  switch (account.kind) {
    case 'issuance':
    case 'fees':
    case 'slashed':
      return sheet[account.kind].balance
    case 'requester':
      return sheet.requesters.get(account.requesterId)?.holding.balance ?? 0n
    case 'escrow':
      return sheet.escrows.get(account.taskId)?.holding.balance ?? 0n
    case 'worker':
      return sheet.workers.get(account.workerId)?.free.balance ?? 0n
    case 'vesting':
    case 'stake':
      return sheet.workers.get(account.workerId)?.[account.kind].balance ?? 0n
  }
}

function takeChanged(sheet: Sheet): readonly Row[] {
  const { changed, requesters, workers } = sheet
  const rows: Row[] = []
  if (changed.isTotals) rows.push(totalsOf(sheet))
  for (const requester of changed.requesters) {
    requester.isChanged = false
    rows.push(requesterRowOf(requester))
    if (requester.holding.balance === 0n) requesters.delete(requester.requesterId)
  }
  for (const worker of changed.workers) {
    worker.isChanged = false
    rows.push(workerRowOf(worker))
    if (isEmpty(worker)) workers.delete(worker.workerId)
  }
  // A task may have been closed and accepted again: the last row of a key wins.
  const escrows = new Map<string, Row>()
  for (const escrow of changed.escrows) {
    if (!escrow.isOpen && !escrow.isSaved) continue
    escrow.isSaved = escrow.isOpen
    const row = escrowRowOf(escrow)
    escrows.set(row.key, row)
  }
  rows.push(...escrows.values())
  takeGuard('paid', sheet.paidGuard, rows)
  takeGuard('slashed', sheet.slashGuard, rows)
  sheet.changed.requesters = []
  sheet.changed.workers = []
  sheet.changed.escrows = []
  sheet.changed.isTotals = false
  return rows
}

function takeGuard(name: GuardName, guard: Guard, rows: Row[]): void {
  for (const bucket of guard.takeDropped()) {
    for (let part = 0; part < bucket.savedParts; part++) {
      rows.push({ key: guardKey(name, bucket, part), value: undefined })
    }
  }
  for (let index = guard.buckets.length - 1; index >= 0; index--) {
    const bucket = guard.buckets[index]
    if (bucket === undefined || bucket.savedEnd === bucket.end) return
    while (bucket.savedEnd < bucket.end) {
      const end = Math.min(bucket.end, bucket.savedEnd + partIdsMax)
      const value = guardRow.encode({ untilMs: bucket.untilMs, ids: guard.read(bucket.savedEnd, end) })
      rows.push({ key: guardKey(name, bucket, bucket.savedParts), value })
      bucket.savedEnd = end
      bucket.savedParts++
    }
  }
}

/** Whether a table row is there follows from the value alone, so books of any history compare. */
function allRows(sheet: Sheet): readonly Row[] {
  const rows: Row[] = [totalsOf(sheet)]
  for (const requester of sheet.requesters.values()) rows.push(requesterRowOf(requester))
  for (const worker of sheet.workers.values()) rows.push(workerRowOf(worker))
  for (const escrow of sheet.escrows.values()) rows.push(escrowRowOf(escrow))
  for (const [name, guard] of [
    ['paid', sheet.paidGuard],
    ['slashed', sheet.slashGuard],
  ] as const) {
    for (const bucket of guard.buckets) {
      const ids = sortedIds(guard.read(bucket.first, bucket.end))
      for (let part = 0; part * partIdsMax < ids.length; part++) {
        const of = ids.slice(part * partIdsMax, (part + 1) * partIdsMax)
        const value = guardRow.encode({ untilMs: bucket.untilMs, ids: decodeHex(of.join('')) ?? none })
        rows.push({ key: guardKey(name, bucket, part), value })
      }
    }
  }
  return rows.filter(({ value }) => value !== undefined).sort((one, other) => (one.key < other.key ? -1 : 1))
}

const none = new Uint8Array(0)

function sortedIds(bytes: Uint8Array): readonly string[] {
  const ids: string[] = []
  for (let offset = 0; offset < bytes.length; offset += 16)
    ids.push(encodeHex(bytes.subarray(offset, offset + 16)))
  return ids.sort()
}
