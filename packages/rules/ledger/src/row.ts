/**
 * What a store keeps of the book (spec L18): rows by a text key. An account without a balance has no row. Ids of the guards lie in
 * parts that are written once and never again, so a save costs what it adds.
 */
import {
  blob,
  field,
  list,
  type MicroCredit,
  message,
  type RequesterId,
  type TaskId,
  type TimeMs,
  values,
  type WorkerId,
  whole,
} from '@shardy/protocol'
import { schedulePlacesMax } from './parameters.ts'
import { due } from './schedule.ts'
import type { EscrowSheet, Holding, RequesterSheet, Sheet, WorkerSheet } from './sheet.ts'
import { type NormalisedWork, normalisedWork } from './work.ts'

/** `value` undefined: the row goes. */
export interface Row {
  readonly key: string
  readonly value: Uint8Array | undefined
}

export const totalsKey = 'totals'

export const totalsRow = message('BookTotalsRow', {
  appliedSequence: field(1, whole(0, Number.MAX_SAFE_INTEGER)),
  atMs: field(2, values.timeMs),
  issued: field(3, values.microCredit),
  fees: field(4, values.microCredit),
  slashed: field(5, values.microCredit),
  spent: field(6, normalisedWork),
})
export const requesterRow = message('BookRequesterRow', { balance: field(1, values.microCredit) })
export const escrowRow = message('BookEscrowRow', {
  requesterId: field(1, values.requesterId),
  balance: field(2, values.microCredit),
})
export const workerRow = message('BookWorkerRow', {
  free: field(1, values.microCredit),
  stake: field(2, values.microCredit),
  leaving: field(3, list(due.codec, schedulePlacesMax)),
  vesting: field(4, list(due.codec, schedulePlacesMax)),
})
/** Ids in one part. */
export const partIdsMax = 4096
export const guardRow = message('BookGuardRow', {
  untilMs: field(1, values.timeMs),
  ids: field(2, blob(16 * partIdsMax)),
})

/** Every balance fits, because what was issued does (L4). */
const credit = ({ balance }: Holding) => balance as MicroCredit

export function totalsOf(sheet: Sheet): Row {
  const value = totalsRow.encode({
    appliedSequence: sheet.appliedSequence,
    atMs: sheet.atMs as TimeMs,
    issued: credit({ balance: -sheet.issuance.balance }),
    fees: credit(sheet.fees),
    slashed: credit(sheet.slashed),
    spent: sheet.spent as NormalisedWork,
  })
  return { key: totalsKey, value }
}

export function requesterRowOf({ requesterId, holding }: RequesterSheet): Row {
  const value = holding.balance === 0n ? undefined : requesterRow.encode({ balance: credit(holding) })
  return { key: `requester/${requesterId}`, value }
}

export function escrowRowOf({ taskId, requesterId, holding, isOpen }: EscrowSheet): Row {
  const value = isOpen ? escrowRow.encode({ requesterId, balance: credit(holding) }) : undefined
  return { key: `escrow/${taskId}`, value }
}

export const isEmpty = ({ free, stake, vesting }: WorkerSheet) =>
  free.balance === 0n && stake.balance === 0n && vesting.balance === 0n

export function workerRowOf(worker: WorkerSheet): Row {
  const { workerId, free, stake } = worker
  const places = (schedule: WorkerSheet['leaving']) =>
    schedule.map(({ dueMs, amount }) => ({ dueMs, amount: credit({ balance: amount }) }))
  const value = isEmpty(worker)
    ? undefined
    : workerRow.encode({
        free: credit(free),
        stake: credit(stake),
        leaving: places(worker.leaving),
        vesting: places(worker.vestingDue),
      })
  return { key: `worker/${workerId}`, value }
}

export type GuardName = 'paid' | 'slashed'

const digits = (value: number, length: number) => value.toString(16).padStart(length, '0')

export function guardKey(guard: GuardName, bucket: { fromMs: number; split: number }, part: number): string {
  return `guard/${guard}/${digits(bucket.fromMs, 14)}/${digits(bucket.split, 6)}/${digits(part, 8)}`
}

export type RowName =
  | { readonly kind: 'totals' }
  | { readonly kind: 'requester'; readonly requesterId: RequesterId }
  | { readonly kind: 'escrow'; readonly taskId: TaskId }
  | { readonly kind: 'worker'; readonly workerId: WorkerId }
  | {
      readonly kind: 'guard'
      readonly guard: GuardName
      readonly fromMs: TimeMs
      readonly split: number
      readonly part: number
    }

const party = /^(requester|worker)\/([0-9a-f]{64})$/
const escrow = /^escrow\/([0-9a-f]{32})$/
const guardPart = /^guard\/(paid|slashed)\/([0-9a-f]{14})\/([0-9a-f]{6})\/([0-9a-f]{8})$/

export function decodeRowKey(key: string): RowName | undefined {
  if (key === totalsKey) return { kind: 'totals' }
  const [, side, id] = party.exec(key) ?? []
  if (side === 'requester') return { kind: side, requesterId: id as RequesterId }
  if (side === 'worker') return { kind: side, workerId: id as WorkerId }
  const [, task] = escrow.exec(key) ?? []
  if (task !== undefined) return { kind: 'escrow', taskId: task as TaskId }
  const [, guard, from, split, part] = guardPart.exec(key) ?? []
  if (guard === undefined || from === undefined || split === undefined || part === undefined) return undefined
  const fromMs = Number.parseInt(from, 16) as TimeMs
  if (!Number.isSafeInteger(fromMs)) return undefined
  return {
    kind: 'guard',
    guard: guard as GuardName,
    fromMs,
    split: Number.parseInt(split, 16),
    part: Number.parseInt(part, 16),
  }
}
