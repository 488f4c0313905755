/** A worker's own money: deposits, asking them back, spending what was earned, and slashes (spec L10–L15). */
import type { TimeMs } from '@shardy/protocol'
import { stakeKey, workerKey } from './account.ts'
import { refuseAmount, refuseIssue, refuseRequester } from './amount.ts'
import type { EntryOf } from './entry.ts'
import type { BookRefusal } from './refusal.ts'
import { dueAfter, dueAmount, takeLast, wait, waiting } from './schedule.ts'
import { freeAt, move, type Sheet, touchRequester, touchWorker } from './sheet.ts'

export function refuseDeposit(
  sheet: Sheet,
  { workerId, source, requesterId, amount }: EntryOf<'deposit'>,
  atMs: TimeMs,
): BookRefusal | undefined {
  const bad = refuseAmount('amount', amount, 1n)
  if (bad !== undefined) return bad
  if ((source === 'requester') !== (requesterId !== undefined)) return { kind: 'unnamedSource', workerId }
  if (requesterId !== undefined) return refuseRequester(sheet, requesterId, amount)
  return source === 'issuance' ? refuseIssue(sheet, amount) : refuseFree(sheet, workerId, amount, atMs)
}

export function deposit(
  sheet: Sheet,
  { workerId, source, requesterId, amount }: EntryOf<'deposit'>,
  atMs: TimeMs,
): void {
  const worker = touchWorker(sheet, workerId, atMs)
  const from =
    requesterId !== undefined
      ? touchRequester(sheet, requesterId).holding
      : source === 'issuance'
        ? sheet.issuance
        : worker.free
  move(sheet, from, worker.stake, amount)
}

function refuseFree(
  sheet: Sheet,
  workerId: EntryOf<'withdraw'>['workerId'],
  needed: bigint,
  atMs: TimeMs,
): BookRefusal | undefined {
  const available = freeAt(sheet.workers.get(workerId), atMs)
  if (available >= needed) return undefined
  return { kind: 'insufficientFunds', account: workerKey(workerId), needed, available }
}

export function refuseUnstake(
  sheet: Sheet,
  { workerId, amount }: EntryOf<'unstake'>,
): BookRefusal | undefined {
  const bad = refuseAmount('amount', amount, 1n)
  if (bad !== undefined) return bad
  const worker = sheet.workers.get(workerId)
  const available = worker === undefined ? 0n : worker.stake.balance - waiting(worker.leaving)
  if (available >= amount) return undefined
  return { kind: 'insufficientFunds', account: stakeKey(workerId), needed: amount, available }
}

export function unstake(sheet: Sheet, { workerId, amount }: EntryOf<'unstake'>, atMs: TimeMs): void {
  const { epochMs, unstakeMs } = sheet.parameters
  wait(touchWorker(sheet, workerId, atMs).leaving, dueAfter(atMs, epochMs, unstakeMs), amount)
}

export function refuseWithdraw(
  sheet: Sheet,
  { workerId, amount }: EntryOf<'withdraw'>,
  atMs: TimeMs,
): BookRefusal | undefined {
  return refuseAmount('amount', amount, 1n) ?? refuseFree(sheet, workerId, amount, atMs)
}

export function withdraw(
  sheet: Sheet,
  { workerId, requesterId, amount }: EntryOf<'withdraw'>,
  atMs: TimeMs,
): void {
  const { free } = touchWorker(sheet, workerId, atMs)
  move(sheet, free, touchRequester(sheet, requesterId).holding, amount)
}

export function refuseVest(
  sheet: Sheet,
  { workerId }: EntryOf<'vest'>,
  atMs: TimeMs,
): BookRefusal | undefined {
  const worker = sheet.workers.get(workerId)
  const dues =
    worker === undefined ? 0n : dueAmount(worker.vestingDue, atMs) + dueAmount(worker.leaving, atMs)
  return dues > 0n ? undefined : { kind: 'nothingDue', workerId }
}

export function vest(sheet: Sheet, { workerId }: EntryOf<'vest'>, atMs: TimeMs): void {
  touchWorker(sheet, workerId, atMs)
}

export function refuseSlash(
  sheet: Sheet,
  { workerId, deliveryId, amount }: EntryOf<'slash'>,
  atMs: TimeMs,
): BookRefusal | undefined {
  const bad = refuseAmount('amount', amount, 1n)
  if (bad !== undefined) return bad
  if (sheet.slashGuard.has(deliveryId, atMs)) return { kind: 'alreadySlashed', deliveryId }
  return slashableOf(sheet, workerId) > 0n ? undefined : { kind: 'nothingToSlash', workerId }
}

export function slashableOf(sheet: Sheet, workerId: EntryOf<'slash'>['workerId']): bigint {
  const worker = sheet.workers.get(workerId)
  return worker === undefined ? 0n : worker.vesting.balance + worker.stake.balance + worker.free.balance
}

/** Takes from what vests, then from the stake, what leaves last of it, then from what is free; and no more than there is. */
export function slash(sheet: Sheet, { workerId, deliveryId, amount }: EntryOf<'slash'>, atMs: TimeMs): void {
  const worker = touchWorker(sheet, workerId, atMs)
  const { vesting, stake, free, vestingDue, leaving } = worker
  let left: bigint = amount
  const take = (most: bigint) => {
    const taken = most < left ? most : left
    left -= taken
    return taken
  }
  const fromVesting = take(vesting.balance)
  takeLast(vestingDue, fromVesting)
  move(sheet, vesting, sheet.slashed, fromVesting)
  const fromStaying = take(stake.balance - waiting(leaving))
  const fromLeaving = take(waiting(leaving))
  takeLast(leaving, fromLeaving)
  move(sheet, stake, sheet.slashed, fromStaying + fromLeaving)
  move(sheet, free, sheet.slashed, take(free.balance))
  sheet.slashGuard.add(deliveryId, atMs)
}
