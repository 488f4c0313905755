/**
 * From what the store holds back to a running state (spec B24). While the process was down nobody could answer, so
 * every open window begins again: an outage of ours is never held against anyone.
 */
import type { TimeMs } from '@shardy/protocol'
import type { DisputeRecord } from './record.ts'
import { type DisputePolicy, type DisputeTools, emptyState } from './state.ts'
import { closeTurn, enter, keep, openTurn, type Step } from './turn.ts'
import { forget, remember } from './verdict.ts'

export function recover(
  policy: DisputePolicy,
  records: readonly DisputeRecord[],
  atMs: TimeMs,
  tools: DisputeTools,
): Step {
  const turn = openTurn(emptyState(policy), atMs, tools)
  for (const dispute of records) {
    if (dispute.phase !== 'ended') {
      enter(turn, dispute, dispute.phase)
      keep(turn, turn.state.open.get(dispute.disputeId) ?? dispute)
    } else if (dispute.dueMs > atMs) remember(turn, dispute)
    else forget(turn, dispute.disputeId)
  }
  return closeTurn(turn)
}
