/**
 * Everything the rules know: open disputes, and of ended ones only their ids, for as long as the same dispute could be
 * opened again or its evidence has to be repeatable.
 */
import { type DurationMs, merkleSplit, type Sha256, type TimeMs } from '@shardy/protocol'
import type { Outline } from './outline.ts'
import type { Party } from './party.ts'
import type { DisputeId, DisputeRecord } from './record.ts'

export interface DisputePolicy {
  /** A dispute can be opened until so long after the earlier of the two deliveries' deadlines. */
  readonly openMs: DurationMs
  /** No honest delivery's deadline lies further ahead. */
  readonly leaseMsMax: DurationMs
  readonly verifyMs: DurationMs
  /** For one round: to show two hashes, or the leaves that a node takes. */
  readonly revealMs: DurationMs
  readonly executeMs: DurationMs
  /** Who has not answered is asked again this often. */
  readonly askEveryMs: DurationMs
  /** How long the blobs of a decided dispute are kept, so that its evidence can be repeated. */
  readonly evidenceMs: DurationMs
  readonly openMax: number
  readonly endedMax: number
}

const minuteMs = 60_000

export const defaultPolicy: DisputePolicy = {
  openMs: (60 * minuteMs) as DurationMs,
  leaseMsMax: (60 * minuteMs) as DurationMs,
  verifyMs: minuteMs as DurationMs,
  revealMs: (2 * minuteMs) as DurationMs,
  executeMs: (15 * minuteMs) as DurationMs,
  askEveryMs: 15_000 as DurationMs,
  evidenceMs: (7 * 24 * 60 * minuteMs) as DurationMs,
  openMax: 1_000,
  endedMax: 10_000,
}

export interface Ended {
  readonly disputeId: DisputeId
  readonly forgetAtMs: TimeMs
}

export interface DisputeState {
  readonly policy: DisputePolicy
  readonly open: ReadonlyMap<DisputeId, DisputeRecord>
  readonly ended: ReadonlyMap<DisputeId, Ended>
}

export interface DisputeTools {
  readonly sha256: Sha256
  readonly outline: Outline
}

export function emptyState(policy: DisputePolicy): DisputeState {
  for (const [name, value] of Object.entries(policy)) {
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} is ${value}, the least is 1`)
  }
  return { policy, open: new Map(), ended: new Map() }
}

/** When the next `tick` is wanted. */
export function nextDueMs({ open, ended }: DisputeState): TimeMs | undefined {
  let next: TimeMs | undefined
  const consider = (atMs: TimeMs): void => {
    if (next === undefined || atMs < next) next = atMs
  }
  for (const { dueMs, askAtMs } of open.values()) {
    consider(dueMs)
    consider(askAtMs)
  }
  for (const { forgetAtMs } of ended.values()) consider(forgetAtMs)
  return next
}

/** Until then a worker must be able to answer for either delivery. */
export function openUntil(a: Party, b: Party, { openMs }: DisputePolicy): TimeMs {
  return (Math.min(a.statement.deadlineMs, b.statement.deadlineMs) + openMs) as TimeMs
}

/** Rounds that bisecting a subtree of so many leaves takes at most. */
export function roundsMax(count: number): number {
  let rounds = 0
  for (let left = count; left > 1; left = merkleSplit(left)) rounds++
  return rounds
}

/** When a dispute is over at the latest once its signatures are verified, whatever anybody does or does not do. */
export function endsByMs(dispute: DisputeRecord, { revealMs, executeMs }: DisputePolicy): TimeMs {
  const { phase, dueMs, from, to } = dispute
  // The round under way ends with `dueMs`; showing leaves takes one window after the last.
  if (phase === 'bisecting') return (dueMs + roundsMax(to - from) * revealMs + executeMs) as TimeMs
  return (phase === 'showing' ? dueMs + executeMs : dueMs) as TimeMs
}
