/**
 * How strictly a claim is checked (spec C3): how many random vectors, who draws them, and from which size on a product is
 * checked by projection instead of being computed again. Worker and checker must hold the same policy, since it decides
 * what a claim consists of.
 */
export interface Policy {
  readonly name: string
  /** Vectors per check: a false claim passes with probability p^-repetitions at most. 0: nothing is projected. */
  readonly repetitions: number
  /** `drawn` by the checker once the worker is bound; `public`, from a hash of everything; `none` needs none. */
  readonly challenge: 'drawn' | 'public' | 'none'
  /** Whether the checker keeps secret projections of the weights, so that reading them costs it nothing. */
  readonly weights: 'read' | 'kept'
  /** How many multiply-adds of a product cost as much as one step of a projection (spec C4). */
  readonly recomputeFactor: number
}

const recomputeFactor = 32

export const policies = {
  /** At most p^-2 < 2^-61.9, for a challenge that was drawn after the worker's commitment. */
  interactive: { name: 'interactive', repetitions: 2, challenge: 'drawn', weights: 'read', recomputeFactor },
  /** The same for a checker that meets the same weights again and again. */
  fixedWeights: {
    name: 'fixedWeights',
    repetitions: 2,
    challenge: 'drawn',
    weights: 'kept',
    recomputeFactor,
  },
  /** At most p^-6 < 2^-185 for each transcript that a cheat tries: 2^64 tries leave less than 2^-121. */
  public: { name: 'public', repetitions: 6, challenge: 'public', weights: 'read', recomputeFactor },
  /** Everything is computed again: for programs of no size, and for disputes. Never wrong. */
  recompute: {
    name: 'recompute',
    repetitions: 0,
    challenge: 'none',
    weights: 'read',
    recomputeFactor: Number.POSITIVE_INFINITY,
  },
} as const satisfies Readonly<Record<string, Policy>>

export type PolicyName = keyof typeof policies
