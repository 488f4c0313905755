/** What follows from a step, in order. */
import type { WorkerId } from '@shardy/protocol'
import type { Measurement } from './measurement.ts'
import type { ChainPlan } from './plan.ts'

export type Effect =
  /** It waits to be measured; 1 is next. */
  | { readonly kind: 'wait'; readonly workerId: WorkerId; readonly position: number }
  /** Give it nothing new, and say when it is quiet. */
  | { readonly kind: 'hold'; readonly workerId: WorkerId }
  /** It is not measured after all: it may be given work again. */
  | { readonly kind: 'release'; readonly workerId: WorkerId }
  /** With a seed that nobody knew before. What was asked of this worker earlier is void. */
  | {
      readonly kind: 'ask'
      readonly workerId: WorkerId
      readonly benchmarkId: string
      readonly plan: ChainPlan
      readonly withinMs: number
    }
  /** Draw so many cells, now that the root is here, and have them opened. */
  | {
      readonly kind: 'open'
      readonly workerId: WorkerId
      readonly benchmarkId: string
      readonly cells: number
    }
  | { readonly kind: 'judge'; readonly workerId: WorkerId; readonly benchmarkId: string }
  | { readonly kind: 'admit'; readonly workerId: WorkerId; readonly measurement: Measurement }
  /** Of a worker that is admitted already, which may be given work again. */
  | { readonly kind: 'remeasured'; readonly workerId: WorkerId; readonly measurement: Measurement }
  /** Its last word to the worker; nothing more is known of it. */
  | {
      readonly kind: 'refuse'
      readonly workerId: WorkerId
      readonly code: 'belowMinimum' | 'benchmarkFailed' | 'overloaded' | 'unexpectedFrame'
      readonly message: string
    }
  | { readonly kind: 'ignored'; readonly reason: 'unknownWorker' | 'late' | 'nothingChanged' }
