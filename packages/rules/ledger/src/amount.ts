/** Amounts are checked again although decoders bound them: entries also come from code (spec L4). */
import type { RequesterId } from '@shardy/protocol'
import { requesterKey } from './account.ts'
import type { BookRefusal } from './refusal.ts'
import { balanceMax, type Sheet } from './sheet.ts'

export function refuseAmount(field: string, amount: bigint, min: bigint): BookRefusal | undefined {
  if (amount >= min && amount <= balanceMax) return undefined
  return { kind: 'badAmount', field, amount, min, max: balanceMax }
}

/**
 * Balances but the issuance's are never negative and all add up to what was issued. So none passes the bound while that
 * does not, and it is asked for here alone.
 */
export function refuseIssue(sheet: Sheet, amount: bigint): BookRefusal | undefined {
  const actual = amount - sheet.issuance.balance
  return actual > balanceMax ? { kind: 'overflow', field: 'issuance', limit: balanceMax, actual } : undefined
}

export function refuseRequester(
  sheet: Sheet,
  requesterId: RequesterId,
  needed: bigint,
): BookRefusal | undefined {
  const available = sheet.requesters.get(requesterId)?.holding.balance ?? 0n
  if (available >= needed) return undefined
  return { kind: 'insufficientFunds', account: requesterKey(requesterId), needed, available }
}
