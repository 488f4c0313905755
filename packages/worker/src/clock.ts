/** Time as the driver is given it. The session itself only ever sees numbers. */
export interface Clock {
  /** Milliseconds since 1970; it jumps ahead when the machine slept, which is how a dead line is noticed. */
  nowMs(): number
  /** Calls once at that time or soon after, unless the returned function was called before. */
  wakeAt(atMs: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  wakeAt(atMs, callback) {
    // Longer timers overflow in every engine; waking too early does no harm.
    const timer = setTimeout(callback, Math.min(Math.max(atMs - Date.now(), 0), 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}
