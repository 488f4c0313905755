/** Which accounts an entry may change (spec L19): what must be loaded before it is applied, and cannot be touched beyond it. */
import type { WorkerId } from '@shardy/protocol'
import {
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
