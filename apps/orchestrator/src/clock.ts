/** Time as the orchestrator sees it; `main` gives the real one, a test or simulation its own. */
import type { TimeMs } from '@shardy/protocol'

export interface Clock {
  nowMs(): TimeMs
  /** Calls once after `delayMs`; the returned function takes it back. */
  after(delayMs: number, act: () => void): () => void
}

/** setTimeout counts in 32 bits; a longer wait is cut short, and who waits looks at the time again. */
const delayMsMax = 2 ** 31 - 1

export const systemClock: Clock = {
  nowMs: () => Date.now() as TimeMs,
  after(delayMs, act) {
    const timer = setTimeout(act, Math.min(Math.max(0, delayMs), delayMsMax))
    return () => clearTimeout(timer)
  },
}
