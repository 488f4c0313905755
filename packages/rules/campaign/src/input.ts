/** What can happen to a campaign. Time comes with every input; what concerns items comes in lists, so that ends that wait together are one step. */
import type { Digest, DurationMs, MicroCredit, TimeMs } from '@shardy/protocol'
import type { ItemAttempt } from './record.ts'

/** The task of this attempt was already there: that is accepted as well. */
export type Answered = ItemAttempt &
  (
    | { readonly kind: 'accepted' }
    /** Not now, and no other task of the campaign either. */
    | { readonly kind: 'later'; readonly retryAfterMs: DurationMs }
    /** What the requester has does not cover it. Pauses the campaign. */
    | { readonly kind: 'fundsMissing' }
    /** This item cannot become a task, now or later. */
    | { readonly kind: 'refused'; readonly code: string }
    /** Asked with `checkItems`: there is no such task, and no submission of it is under way. */
    | { readonly kind: 'unknown' }
  )

/** How the task of one attempt ended, and what the book took for it. */
export type TaskEnd = ItemAttempt & {
  readonly costMicroCredit: MicroCredit
} & (
    | { readonly status: 'verified'; readonly outputDigest: Digest }
    | { readonly status: 'accepted'; readonly outputDigest: Digest }
    | { readonly status: 'dead'; readonly code: string }
    | { readonly status: 'cancelled'; readonly code: string }
  )

export type Input =
  | { readonly kind: 'created'; readonly atMs: TimeMs }
  | { readonly kind: 'tick'; readonly atMs: TimeMs }
  | { readonly kind: 'tasksAnswered'; readonly atMs: TimeMs; readonly answers: readonly Answered[] }
  | { readonly kind: 'tasksEnded'; readonly atMs: TimeMs; readonly ends: readonly TaskEnd[] }
  | { readonly kind: 'pause'; readonly atMs: TimeMs }
  | { readonly kind: 'resume'; readonly atMs: TimeMs }
  | { readonly kind: 'cancel'; readonly atMs: TimeMs }
  /** First after `recover`. */
  | { readonly kind: 'recovered'; readonly atMs: TimeMs }
