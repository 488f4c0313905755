/** What a worker says of itself that admission goes by. None of it is believed further than to choose whom to ask, and what. */
import type { ChainKind } from './tier.ts'

/** What a worker has in common with others that may be the same machine; none of it is proof. */
export interface Likeness {
  /** Which chain it can compute. */
  readonly chain: ChainKind
  /** Which sizes suit it: its own word. */
  readonly device: 'cpu' | 'gpu'
  /** Such as the group of its address, and its hardware class. */
  readonly groups: readonly string[]
}

/** In a hidden tab its speed is not what is to be measured; a paused one computes nothing. */
export type Presence = 'available' | 'hidden' | 'paused'
