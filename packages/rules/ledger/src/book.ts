/**
 * The one book (spec L1–L19). Its owner changes it in place: the same entries at the same times give the same book, on
 * every machine. A driver applies its outbox row by row, and saves `dirty()` in one atomic batch.
 */
import type { MicroCredit, TimeMs, WorkerId } from '@shardy/protocol'
import type { Account } from './account.ts'
import type { BookEntry } from './entry.ts'
import type { BookParameters } from './parameters.ts'
import type { BookRefusal } from './refusal.ts'
import type { Row } from './row.ts'
import { allRows, takeChanged } from './saving.ts'
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
