/**
 * Every balance of the book, and the one function that changes them: `move` takes from one holding what it gives to
 * another, so the sum over all is zero by construction (spec L2). What changed is noted for whoever saves it.
 */
import type { MicroCredit, RequesterId, TaskId, WorkerId } from '@shardy/protocol'
import { createGuard, type Guard } from './guard.ts'
import type { BookParameters } from './parameters.ts'
import { dropDue, dueAmount, type Schedule } from './schedule.ts'

/** No balance is larger (spec L4): what codecs and databases hold as a signed 64-bit number. */
export const balanceMax = 2n ** 63n - 1n

export interface Holding {
  balance: bigint
}

export interface RequesterSheet {
  readonly requesterId: RequesterId
  readonly holding: Holding
  isChanged: boolean
}

export interface EscrowSheet {
  readonly taskId: TaskId
  readonly requesterId: RequesterId
  readonly holding: Holding
  isOpen: boolean
  /** Whether a row of it is on disk. */
  isSaved: boolean
}

export interface WorkerSheet {
  readonly workerId: WorkerId
  readonly free: Holding
  readonly vesting: Holding
  readonly vestingDue: Schedule
  /** Includes what is asked back and still waits. */
  readonly stake: Holding
  readonly leaving: Schedule
  isChanged: boolean
}

export interface Sheet {
  readonly parameters: BookParameters
  readonly feePermille: bigint
  readonly vestingPermille: bigint
  appliedSequence: number
  atMs: number
  /** Normalised work of all verdicts; no value, and in no account. */
  spent: bigint
  /** The only one that may owe. */
  readonly issuance: Holding
  readonly fees: Holding
  readonly slashed: Holding
  readonly requesters: Map<RequesterId, RequesterSheet>
  readonly escrows: Map<TaskId, EscrowSheet>
  readonly workers: Map<WorkerId, WorkerSheet>
  readonly paidGuard: Guard
  readonly slashGuard: Guard
  readonly changed: {
    requesters: RequesterSheet[]
    /** Opened and closed ones, in the order in which that happened. */
    escrows: EscrowSheet[]
    workers: WorkerSheet[]
    isTotals: boolean
  }
}

export function createSheet(parameters: BookParameters): Sheet {
  return {
    parameters,
    feePermille: BigInt(parameters.feePermille),
    vestingPermille: BigInt(parameters.vestingPermille),
    appliedSequence: 0,
    atMs: 0,
    spent: 0n,
    issuance: { balance: 0n },
    fees: { balance: 0n },
    slashed: { balance: 0n },
    requesters: new Map(),
    escrows: new Map(),
    workers: new Map(),
    paidGuard: createGuard(parameters),
    slashGuard: createGuard(parameters),
    changed: { requesters: [], escrows: [], workers: [], isTotals: false },
  }
}

/** A rule has let something through that it should have refused: a bug, never a refusal. */
export class Unbalanced extends Error {
  override readonly name = 'Unbalanced'
}

/** Takes an amount that was checked to be there. */
export function move(sheet: Sheet, from: Holding, to: Holding, amount: bigint): void {
  if (amount < 0n || (from.balance < amount && from !== sheet.issuance)) {
    throw new Unbalanced(`${amount} was to be taken from ${from.balance}`)
  }
  from.balance -= amount
  to.balance += amount
}

/** Of an amount, rounded up (spec L3). */
export function share(amount: bigint, permille: bigint): bigint {
  return (amount * permille + 999n) / 1000n
}

export function feeOf(paid: MicroCredit, feePermille: number): MicroCredit {
  return share(paid, BigInt(feePermille)) as MicroCredit
}

export function touchRequester(sheet: Sheet, requesterId: RequesterId): RequesterSheet {
  let requester = sheet.requesters.get(requesterId)
  if (requester === undefined) {
    requester = { requesterId, holding: { balance: 0n }, isChanged: false }
    sheet.requesters.set(requesterId, requester)
  }
  if (!requester.isChanged) {
    requester.isChanged = true
    sheet.changed.requesters.push(requester)
  }
  return requester
}

/** Also releases what is due, so that a worker that is paid never gathers more than its schedules hold. */
export function touchWorker(sheet: Sheet, workerId: WorkerId, atMs: number): WorkerSheet {
  let worker = sheet.workers.get(workerId)
  if (worker === undefined) {
    worker = emptyWorker(workerId)
    sheet.workers.set(workerId, worker)
  }
  if (!worker.isChanged) {
    worker.isChanged = true
    sheet.changed.workers.push(worker)
  }
  release(sheet, worker, atMs)
  return worker
}

function release(sheet: Sheet, worker: WorkerSheet, atMs: number): void {
  const { vestingDue, leaving } = worker
  if ((vestingDue[0]?.dueMs ?? atMs + 1) <= atMs) {
    move(sheet, worker.vesting, worker.free, dueAmount(vestingDue, atMs))
    dropDue(vestingDue, atMs)
  }
  if ((leaving[0]?.dueMs ?? atMs + 1) <= atMs) {
    move(sheet, worker.stake, worker.free, dueAmount(leaving, atMs))
    dropDue(leaving, atMs)
  }
}

export function emptyWorker(workerId: WorkerId): WorkerSheet {
  return {
    workerId,
    free: { balance: 0n },
    vesting: { balance: 0n },
    vestingDue: [],
    stake: { balance: 0n },
    leaving: [],
    isChanged: false,
  }
}

/** Free at that time, whether or not it was released yet. */
export function freeAt(worker: WorkerSheet | undefined, atMs: number): bigint {
  if (worker === undefined) return 0n
  return worker.free.balance + dueAmount(worker.vestingDue, atMs) + dueAmount(worker.leaving, atMs)
}

/** Of everything, zero unless there is a bug. */
export function totalOf(sheet: Sheet): bigint {
  let total = sheet.issuance.balance + sheet.fees.balance + sheet.slashed.balance
  for (const { holding } of sheet.requesters.values()) total += holding.balance
  for (const { holding } of sheet.escrows.values()) total += holding.balance
  for (const { free, vesting, stake } of sheet.workers.values()) {
    total += free.balance + vesting.balance + stake.balance
  }
  return total
}
