/** What is known of a worker's speed once it was measured, and why it was. */
import type { WorkerId } from '@shardy/protocol'
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
