/**
 * Where value lies (spec L1): accounts by kind, and the one text that names each. The texts sort by kind, then by
 * whose they are; a decoder takes no other spelling.
 */
import type { Brand, RequesterId, TaskId, WorkerId } from '@shardy/protocol'

export type Account =
  | { readonly kind: 'issuance' }
  | { readonly kind: 'fees' }
  | { readonly kind: 'slashed' }
  | { readonly kind: 'requester'; readonly requesterId: RequesterId }
  | { readonly kind: 'escrow'; readonly taskId: TaskId }
  | { readonly kind: 'worker' | 'vesting' | 'stake'; readonly workerId: WorkerId }

/** As `worker/<64 hex digits>`, or `fees`. */
export type AccountKey = Brand<string, 'AccountKey'>

export const issuanceKey = 'issuance' as AccountKey
export const feesKey = 'fees' as AccountKey
export const slashedKey = 'slashed' as AccountKey
export const requesterKey = (id: RequesterId) => `requester/${id}` as AccountKey
export const escrowKey = (id: TaskId) => `escrow/${id}` as AccountKey
export const workerKey = (id: WorkerId) => `worker/${id}` as AccountKey
export const vestingKey = (id: WorkerId) => `vesting/${id}` as AccountKey
export const stakeKey = (id: WorkerId) => `stake/${id}` as AccountKey

export function accountKey(account: Account): AccountKey {
  switch (account.kind) {
    case 'issuance':
    case 'fees':
    case 'slashed':
      return account.kind as AccountKey
    case 'requester':
      return requesterKey(account.requesterId)
    case 'escrow':
      return escrowKey(account.taskId)
    case 'worker':
    case 'vesting':
    case 'stake':
      return `${account.kind}/${account.workerId}` as AccountKey
  }
}

const owned = /^(?:(requester|worker|vesting|stake)\/([0-9a-f]{64})|escrow\/([0-9a-f]{32}))$/

/** Undefined unless the text is exactly an account's key. */
export function decodeAccount(text: string): Account | undefined {
  if (text === 'issuance' || text === 'fees' || text === 'slashed') return { kind: text }
  // `$` without the flag `m` matches at the very end alone, so a trailing line break is refused.
  const [, kind, id, task] = owned.exec(text) ?? []
  if (task !== undefined) return { kind: 'escrow', taskId: task as TaskId }
  if (id === undefined) return undefined
  if (kind === 'requester') return { kind, requesterId: id as RequesterId }
  if (kind === 'worker' || kind === 'vesting' || kind === 'stake') return { kind, workerId: id as WorkerId }
  return undefined
}
