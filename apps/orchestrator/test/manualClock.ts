/** A clock that stands still until a test moves it. */
import type { TimeMs } from '@shardy/protocol'
import type { Clock } from '../src/clock.ts'

export interface ManualClock extends Clock {
  advance(byMs: number): void
}

export function createManualClock(startMs = 1_000_000): ManualClock {
  let nowMs = startMs
  let timers: { readonly dueMs: number; readonly act: () => void }[] = []
  return {
    nowMs: () => nowMs as TimeMs,
    after(delayMs, act) {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), act }
      timers.push(timer)
      return () => {
        timers = timers.filter((each) => each !== timer)
      }
    },
    advance(byMs) {
      nowMs += byMs
      const due = timers.filter(({ dueMs }) => dueMs <= nowMs)
      timers = timers.filter(({ dueMs }) => dueMs > nowMs)
      for (const { act } of due) act()
    },
  }
}
