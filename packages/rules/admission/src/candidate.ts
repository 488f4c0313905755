/** A worker as admission sees it: what was measured of it, and what it is being asked. */
import type { WorkerId } from '@shardy/protocol'
import type { Likeness, Presence } from './input.ts'
import type { ChainPlan, Round } from './state.ts'
import type { ChainKind } from './tier.ts'

/** Why a worker is measured. */
export type Reason = 'arrival' | 'random' | 'drift' | 'quarantine' | 'profile'

export interface Measurement {
  readonly chain: ChainKind
  readonly tier: 1 | 2 | 3
  /** What counts: the lower of the next two, where both are there. */
  readonly operationsPerSecond: number
  /** Measured when nobody else was asked with it, or no less together with others. */
  readonly soloOperationsPerSecond: number
  /** What it showed when it was asked at the same moment as others, where that was far less. */
  readonly shared: Shared | undefined
  /** Its own word, of a test that it ran. */
  readonly stableBytes: number
  readonly roundTripMs: number
  readonly measuredAtMs: number
  readonly reason: Reason
}

/** It was far slower together with these. That is what was measured; why it was is not known. */
export interface Shared {
  readonly operationsPerSecond: number
  readonly with: ReadonlySet<WorkerId>
}

export interface Attempt {
  readonly reason: Reason
  readonly benchmarkId: string
  readonly plan: ChainPlan
  readonly askedAtMs: number
  /** Those that were asked at the same moment, itself among them; undefined: it alone. */
  readonly together: ReadonlySet<WorkerId> | undefined
  /** What was known of its speed when this chain's size was chosen. */
  readonly rateBefore: number | undefined
  /** Chains of this measurement, this one included. */
  readonly chains: number
  readonly tries: number
  stage: 'computing' | 'opening' | 'judging'
  /** Undefined while it is our turn. */
  dueMs: number | undefined
  elapsedMs: number
  stableBytes: number
  /** Its tab was hidden meanwhile. */
  isSpoiled: boolean
}

export type Phase =
  | { readonly kind: 'idle' }
  /** Wanted, not before that time. */
  | { readonly kind: 'due'; readonly reason: Reason; readonly notBeforeMs: number }
  /** Gets nothing new and finishes what it has; for a round, or alone. */
  | { readonly kind: 'holding'; readonly reason: Reason; readonly round: Round | undefined }
  | { readonly kind: 'inLine'; readonly reason: Reason }
  | { readonly kind: 'underway'; readonly attempt: Attempt }

export interface Candidate {
  readonly workerId: WorkerId
  likeness: Likeness
  roundTripMs: number
  presence: Presence
  measurement: Measurement | undefined
  phase: Phase
  /** Wanted for another reason while it was being measured. */
  again: Reason | undefined
  /** Measurements in a row that it spoiled by hiding. */
  spoiled: number
  /** Frames of benchmarks that are over. */
  strays: number
}

export function newCandidate(workerId: WorkerId, likeness: Likeness, roundTripMs: number): Candidate {
  return {
    workerId,
    likeness,
    roundTripMs,
    presence: 'available',
    measurement: undefined,
    phase: { kind: 'inLine', reason: 'arrival' },
    again: undefined,
    spoiled: 0,
    strays: 0,
  }
}
