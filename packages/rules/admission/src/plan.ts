/** What is asked of a worker, as far as admission has to know it. */
import type { ChainKind } from './tier.ts'

/** The size of a chain, chosen by the settings' `plan`; what it is beyond these two numbers is the caller's affair. */
export interface ChainPlan {
  readonly chain: ChainKind
  readonly operations: number
}
