/** What can happen to admission. Time comes with every input. */
import type { WorkerId } from '@shardy/protocol'
import type { Likeness, Presence } from './likeness.ts'
import type { Reason } from './measurement.ts'

interface About {
  readonly atMs: number
  readonly workerId: WorkerId
}

interface AboutBenchmark extends About {
  readonly benchmarkId: string
}

export type Input =
  /** Its handshake is complete. Of two connections with one identity the newer one counts. */
  | (About & { readonly kind: 'arrived'; readonly likeness: Likeness; readonly roundTripMs: number })
  | (About & { readonly kind: 'left' })
  /** It says something else of itself than before. */
  | (About & { readonly kind: 'changed'; readonly likeness: Likeness })
  | (About & { readonly kind: 'wanted'; readonly reason: Extract<Reason, 'drift' | 'quarantine'> })
  | (About & { readonly kind: 'presence'; readonly state: Presence })
  /** It computes nothing now, and is given nothing until it is let go. */
  | (About & { readonly kind: 'quiet' })
  | (AboutBenchmark & { readonly kind: 'root'; readonly stableBytes: number })
  /** All cells that were asked for. `roundTripMs`: how long the first of them took. */
  | (AboutBenchmark & { readonly kind: 'opened'; readonly roundTripMs: number })
  | (AboutBenchmark & { readonly kind: 'judged'; readonly verdict: Verdict })
  | { readonly kind: 'tick'; readonly atMs: number }

export type InputOf<Kind extends Input['kind']> = Extract<Input, { readonly kind: Kind }>

/** `unknown`: whoever computes the cells again failed; nothing is said of the worker. */
export type Verdict =
  | { readonly kind: 'right' }
  | { readonly kind: 'wrong'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string }
