/** A book from its rows (spec L18). What a store gives back is judged like anything else: a book that does not balance is not opened. */
import type { Refusal, TimeMs } from '@shardy/protocol'
import { type Book, bookOf } from './book.ts'
import type { BookParameters } from './parameters.ts'
import {
  decodeRowKey,
  escrowRow,
  type GuardName,
  guardRow,
  type Row,
  requesterRow,
  totalsRow,
  workerRow,
} from './row.ts'
import { type Due, type Schedule, waiting } from './schedule.ts'
import { balanceMax, createSheet, emptyWorker, type Sheet, totalOf } from './sheet.ts'

export type RestoreProblem =
  | { readonly kind: 'unknownKey'; readonly key: string }
  | { readonly kind: 'badRow'; readonly key: string; readonly refusal: Refusal }
  | { readonly kind: 'duplicateRow'; readonly key: string }
  | { readonly kind: 'noTotals' }
  /** A schedule out of order or with a place for nothing, stake that leaves twice, ids cut short. */
  | { readonly kind: 'inconsistentRow'; readonly key: string; readonly rule: string }
  | { readonly kind: 'missingPart'; readonly key: string }
  | { readonly kind: 'unbalanced'; readonly total: bigint }

export type Restored =
  | { readonly ok: true; readonly book: Book }
  | { readonly ok: false; readonly problem: RestoreProblem }

/** Thrown and caught in this file alone, so that each row's reader is one plain function. */
class Unfit extends Error {
  readonly problem: RestoreProblem

  constructor(problem: RestoreProblem) {
    super(problem.kind)
    this.problem = problem
  }
}

/** The rows may come in any order; none at all is a new book. */
export function restoreBook(parameters: BookParameters, rows: Iterable<Row>): Restored {
  const sorted = [...rows].filter(({ value }) => value !== undefined)
  sorted.sort((one, other) => (one.key < other.key ? -1 : 1))
  const sheet = createSheet(parameters)
  try {
    const parts: Part[] = []
    let last: string | undefined
    for (const { key, value } of sorted) {
      if (key === last) throw new Unfit({ kind: 'duplicateRow', key })
      last = key
      readRow(sheet, parts, key, value ?? new Uint8Array(0))
    }
    readGuards(sheet, parts)
    if (sorted.length > 0 && !sorted.some(({ key }) => key === 'totals'))
      throw new Unfit({ kind: 'noTotals' })
    const total = totalOf(sheet)
    if (total !== 0n) throw new Unfit({ kind: 'unbalanced', total })
  } catch (thrown) {
    if (thrown instanceof Unfit) return { ok: false, problem: thrown.problem }
    throw thrown
  }
  return { ok: true, book: bookOf(sheet) }
}

interface Part {
  readonly key: string
  readonly guard: GuardName
  readonly fromMs: TimeMs
  readonly split: number
  readonly part: number
  readonly untilMs: TimeMs
  readonly ids: Uint8Array
}

function readRow(sheet: Sheet, parts: Part[], key: string, bytes: Uint8Array): void {
  const name = decodeRowKey(key)
  if (name === undefined) throw new Unfit({ kind: 'unknownKey', key })
  switch (name.kind) {
    case 'totals': {
      const totals = decoded(key, totalsRow.decode(bytes))
      sheet.appliedSequence = totals.appliedSequence
      sheet.atMs = totals.atMs
      sheet.issuance.balance = -totals.issued
      sheet.fees.balance = totals.fees
      sheet.slashed.balance = totals.slashed
      sheet.spent = totals.spent
      return
    }
    case 'requester': {
      const { balance } = decoded(key, requesterRow.decode(bytes))
      sheet.requesters.set(name.requesterId, {
        requesterId: name.requesterId,
        holding: { balance },
        isChanged: false,
      })
      return
    }
    case 'escrow': {
      const { requesterId, balance } = decoded(key, escrowRow.decode(bytes))
      const { taskId } = name
      sheet.escrows.set(taskId, { taskId, requesterId, holding: { balance }, isOpen: true, isSaved: true })
      return
    }
    case 'worker': {
      const row = decoded(key, workerRow.decode(bytes))
      const worker = {
        ...emptyWorker(name.workerId),
        vestingDue: places(key, row.vesting),
        leaving: places(key, row.leaving),
      }
      worker.free.balance = row.free
      worker.stake.balance = row.stake
      worker.vesting.balance = waiting(worker.vestingDue)
      if (waiting(worker.leaving) > row.stake) {
        throw new Unfit({ kind: 'inconsistentRow', key, rule: 'no more leaves than is staked' })
      }
      sheet.workers.set(name.workerId, worker)
      return
    }
    case 'guard': {
      const { untilMs, ids } = decoded(key, guardRow.decode(bytes))
      if (ids.length === 0 || ids.length % 16 !== 0) {
        throw new Unfit({ kind: 'inconsistentRow', key, rule: 'a part holds whole ids' })
      }
      parts.push({ ...name, key, untilMs, ids })
      return
    }
  }
}

function decoded<T>(
  key: string,
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal },
): T {
  if (!result.ok) throw new Unfit({ kind: 'badRow', key, refusal: result.refusal })
  return result.value
}

function places(key: string, rows: readonly Due[]): Schedule {
  let before = -1
  let sum = 0n
  return rows.map(({ dueMs, amount }) => {
    sum += amount
    if (dueMs <= before || amount === 0n || sum > balanceMax) {
      throw new Unfit({
        kind: 'inconsistentRow',
        key,
        rule: 'a schedule ascends, and every place holds something',
      })
    }
    before = dueMs
    return { dueMs, amount }
  })
}

/** Parts come sorted, so those of one bucket lie together and buckets are in the order in which they were begun. */
function readGuards(sheet: Sheet, parts: readonly Part[]): void {
  for (let index = 0; index < parts.length; ) {
    const first = parts[index] as Part
    let end = index
    while (end < parts.length && bucketOf(parts[end]) === bucketOf(first)) {
      const { part, untilMs, key } = parts[end] as Part
      if (part !== end - index) throw new Unfit({ kind: 'missingPart', key })
      if (untilMs !== first.untilMs) {
        throw new Unfit({ kind: 'inconsistentRow', key, rule: 'parts of a bucket end together' })
      }
      end++
    }
    const ids = new Uint8Array(parts.slice(index, end).reduce((sum, part) => sum + part.ids.length, 0))
    let offset = 0
    for (const part of parts.slice(index, end)) {
      ids.set(part.ids, offset)
      offset += part.ids.length
    }
    const guard = first.guard === 'paid' ? sheet.paidGuard : sheet.slashGuard
    guard.restoreBucket({ ...first, parts: end - index }, ids)
    index = end
  }
}

const bucketOf = (part: Part | undefined) =>
  part === undefined ? '' : `${part.guard}/${part.fromMs}/${part.split}`
