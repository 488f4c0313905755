/** Time that passes only when the test says so. */
import type { Clock } from '../src/clock.ts'

export class ManualClock implements Clock {
  private timeMs = 0
  private readonly alarms = new Set<{ readonly atMs: number; readonly callback: () => void }>()

  nowMs(): number {
    return this.timeMs
  }

  wakeAt(atMs: number, callback: () => void): () => void {
    const alarm = { atMs, callback }
    this.alarms.add(alarm)
    return () => {
      this.alarms.delete(alarm)
    }
  }

  advance(durationMs: number): void {
    this.timeMs += durationMs
    for (const alarm of [...this.alarms]) {
      if (alarm.atMs > this.timeMs) continue
      this.alarms.delete(alarm)
      alarm.callback()
    }
  }
}
