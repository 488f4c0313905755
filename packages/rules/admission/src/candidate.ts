/** A worker as admission sees it: what was measured of it, and what it is being asked. */
import type { WorkerId } from '@shardy/protocol'
import type { Likeness, Presence } from './likeness.ts'
import type { Measurement, Reason } from './measurement.ts'
import type { ChainPlan } from './plan.ts'

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

/** Workers that are to be asked at the same moment, while the last of them finish what they have. */
export interface Round {
  readonly members: Set<Candidate>
  readonly ready: Set<Candidate>
  readonly untilMs: number
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
