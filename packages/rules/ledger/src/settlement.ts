/** The money of a task: credits for its requester, the escrow it is accepted with, and the verdict that empties it (spec L6–L9). */
import { type DeliveryId, deliveriesPerTaskMax, type TimeMs } from '@shardy/protocol'
import { escrowKey } from './account.ts'
import { refuseAmount, refuseIssue, refuseRequester } from './amount.ts'
import type { EntryOf, Payout } from './entry.ts'
import type { BookRefusal } from './refusal.ts'
import { dueAfter, wait } from './schedule.ts'
import {
  balanceMax,
  type EscrowSheet,
  move,
  type Sheet,
  share,
  touchRequester,
  touchWorker,
  Unbalanced,
} from './sheet.ts'

export function refuseCredits(sheet: Sheet, { amount }: EntryOf<'issue'>): BookRefusal | undefined {
  return refuseAmount('amount', amount, 1n) ?? refuseIssue(sheet, amount)
}

export function issueCredits(sheet: Sheet, { requesterId, amount }: EntryOf<'issue'>): void {
  move(sheet, sheet.issuance, touchRequester(sheet, requesterId).holding, amount)
}

export function refuseEscrow(
  sheet: Sheet,
  { taskId, requesterId, amount }: EntryOf<'escrow'>,
): BookRefusal | undefined {
  const bad = refuseAmount('amount', amount, 0n)
  if (bad !== undefined) return bad
  if (sheet.escrows.has(taskId)) return { kind: 'duplicateEscrow', taskId }
  return refuseRequester(sheet, requesterId, amount)
}

export function openEscrow(sheet: Sheet, { taskId, requesterId, amount }: EntryOf<'escrow'>): void {
  const escrow = { taskId, requesterId, holding: { balance: 0n }, isOpen: true, isSaved: false }
  // A task without a reward leaves its requester as it was, also where it has no account.
  if (amount > 0n) move(sheet, touchRequester(sheet, requesterId).holding, escrow.holding, amount)
  sheet.escrows.set(taskId, escrow)
  sheet.changed.escrows.push(escrow)
}

export function refuseRefund(
  sheet: Sheet,
  { taskId, requesterId }: EntryOf<'refund'> | EntryOf<'verdict'>,
): BookRefusal | undefined {
  const escrow = sheet.escrows.get(taskId)
  if (escrow === undefined) return { kind: 'unknownEscrow', taskId }
  if (escrow.requesterId === requesterId) return undefined
  return { kind: 'wrongRequester', taskId, expected: escrow.requesterId, actual: requesterId }
}

export function refund(sheet: Sheet, { taskId }: EntryOf<'refund'>): void {
  closeEscrow(sheet, escrowOf(sheet, taskId))
}

export function refuseVerdict(
  sheet: Sheet,
  verdict: EntryOf<'verdict'>,
  atMs: TimeMs,
): BookRefusal | undefined {
  const { taskId, payouts } = verdict
  const wrong = refuseRefund(sheet, verdict) ?? refuseAmount('spent', verdict.spent, 0n)
  if (wrong !== undefined) return wrong
  const spent = sheet.spent + verdict.spent
  if (spent > balanceMax) return { kind: 'overflow', field: 'spent', limit: balanceMax, actual: spent }
  if (payouts.length > deliveriesPerTaskMax) {
    return { kind: 'tooManyPayouts', limit: deliveriesPerTaskMax, actual: payouts.length }
  }
  let paid = 0n
  for (let index = 0; index < payouts.length; index++) {
    const { deliveryId, amount } = payouts[index] as Payout
    const bad = refuseAmount('payouts.amount', amount, 0n)
    if (bad !== undefined) return bad
    if (sheet.paidGuard.has(deliveryId, atMs) || names(payouts, deliveryId, index)) {
      return { kind: 'alreadyPaid', deliveryId }
    }
    paid += amount
  }
  const needed = paid + share(paid, sheet.feePermille)
  const available = sheet.escrows.get(taskId)?.holding.balance ?? 0n
  if (available >= needed) return undefined
  return { kind: 'insufficientFunds', account: escrowKey(taskId), needed, available }
}

/** Whether one of the first payouts is for this delivery. */
function names(payouts: readonly Payout[], deliveryId: DeliveryId, count: number): boolean {
  for (let index = 0; index < count; index++) if (payouts[index]?.deliveryId === deliveryId) return true
  return false
}

export function settle(sheet: Sheet, { taskId, payouts, spent }: EntryOf<'verdict'>, atMs: TimeMs): void {
  const { vestingMs, epochMs } = sheet.parameters
  const escrow = escrowOf(sheet, taskId)
  const dueMs = dueAfter(atMs, epochMs, vestingMs)
  let paid = 0n
  for (const { deliveryId, workerId, amount } of payouts) {
    sheet.paidGuard.add(deliveryId, atMs)
    if (amount === 0n) continue
    const worker = touchWorker(sheet, workerId, atMs)
    const vests = share(amount, sheet.vestingPermille)
    if (vests > 0n) {
      move(sheet, escrow.holding, worker.vesting, vests)
      wait(worker.vestingDue, dueMs, vests)
    }
    move(sheet, escrow.holding, worker.free, amount - vests)
    paid += amount
  }
  move(sheet, escrow.holding, sheet.fees, share(paid, sheet.feePermille))
  sheet.spent += spent
  closeEscrow(sheet, escrow)
}

function escrowOf(sheet: Sheet, taskId: EscrowSheet['taskId']): EscrowSheet {
  const escrow = sheet.escrows.get(taskId)
  if (escrow === undefined) throw new Unbalanced(`task ${taskId} has no escrow`)
  return escrow
}

/** What was not spent goes back. */
function closeEscrow(sheet: Sheet, escrow: EscrowSheet): void {
  const { taskId, requesterId, holding } = escrow
  if (holding.balance > 0n) {
    move(sheet, holding, touchRequester(sheet, requesterId).holding, holding.balance)
  }
  if (holding.balance !== 0n) throw new Unbalanced(`the escrow of ${taskId} closes with ${holding.balance}`)
  escrow.isOpen = false
  sheet.escrows.delete(taskId)
  if (escrow.isSaved) sheet.changed.escrows.push(escrow)
}
