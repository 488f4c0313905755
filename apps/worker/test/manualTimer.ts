/** A timer that only the test moves, so that patience of minutes costs nothing and nothing depends on speed. */
import type { Timer } from '../src/compute/call.ts'

export interface ManualTimer extends Timer {
  advance(durationMs: number): void
}

export function createManualTimer(): ManualTimer {
  let nowMs = 0
  const waiting = new Set<{ readonly atMs: number; readonly callback: () => void }>()
  return {
    after(durationMs, callback) {
      const entry = { atMs: nowMs + durationMs, callback }
      waiting.add(entry)
      return () => waiting.delete(entry)
    },
    advance(durationMs) {
      nowMs += durationMs
      for (const entry of [...waiting]) {
        if (entry.atMs <= nowMs && waiting.delete(entry)) entry.callback()
      }
    },
  }
}
