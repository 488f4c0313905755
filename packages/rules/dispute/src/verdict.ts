/** How a dispute ends (spec B17–B19), and what stays of it afterwards. */
import type { TimeMs, WorkerId } from '@shardy/protocol'
import type { Evidence } from './evidence.ts'
import { questionOf } from './question.ts'
import { type DisputeOutcome, type DisputeRecord, sideNames, workerOf } from './record.ts'
import { openUntil } from './state.ts'
import { outlineOf, put, type Turn } from './turn.ts'

export function end(
  turn: Turn,
  dispute: DisputeRecord,
  kind: DisputeOutcome['kind'],
  against: readonly WorkerId[],
  evidence?: Evidence,
): void {
  const { disputeId, a, b } = dispute
  const { policy } = turn.state
  const outcome: DisputeOutcome = { kind, against, evidence, endedAtMs: turn.atMs }
  // At least until the next step, so that the outcome is saved before it is forgotten.
  const keptMs = evidence === undefined ? 1 : policy.evidenceMs
  const forgetAtMs = Math.max(turn.atMs + keptMs, openUntil(a.party, b.party, policy) + 1) as TimeMs
  const over: DisputeRecord = { ...dispute, phase: 'ended', dueMs: forgetAtMs, askAtMs: forgetAtMs, outcome }
  put(turn, over)
  // Nobody said what was disputed, so whoever brings true signatures may still open it.
  if (kind === 'badSignature' || kind === 'unverified') forget(turn, disputeId)
  else remember(turn, over)
  turn.effects.push({ kind: 'ended', disputeId, outcome })
}

/** Keeps the id, and with evidence the blobs that repeating it takes. */
export function remember(turn: Turn, dispute: DisputeRecord): void {
  const { disputeId, dueMs, outcome } = dispute
  turn.state.ended = new Map(turn.state.ended).set(disputeId, { disputeId, forgetAtMs: dueMs })
  if (outcome?.evidence === undefined) {
    turn.effects.push({ kind: 'releaseBlobs', disputeId })
    return
  }
  const { blobs } = questionOf(outcome.evidence, outlineOf(turn, dispute))
  turn.effects.push({ kind: 'keepBlobs', disputeId, digests: blobs, untilMs: dueMs })
}

/** The window closed. */
export function expire(turn: Turn, dispute: DisputeRecord): void {
  switch (dispute.phase) {
    case 'verifying':
      return end(turn, dispute, 'unverified', [])
    case 'bisecting': {
      const silent = sideNames.map((name) => dispute[name]).filter(({ halves }) => halves === undefined)
      return end(turn, dispute, 'forfeited', silent.map(workerOf))
    }
    case 'showing':
      // Either side could have shown what both hold to be true.
      return end(turn, dispute, 'forfeited', [workerOf(dispute.a), workerOf(dispute.b)])
    case 'executing':
      return end(turn, dispute, 'undecided', [])
    case 'ended':
      return
  }
}

/** Nobody can open it any more, and its evidence had its time. */
export function forget(turn: Turn, disputeId: DisputeRecord['disputeId']): void {
  turn.records.delete(disputeId)
  const ended = new Map(turn.state.ended)
  ended.delete(disputeId)
  turn.state.ended = ended
  turn.forgotten.push(disputeId)
  turn.effects.push({ kind: 'releaseBlobs', disputeId })
}
