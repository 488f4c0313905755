/**
 * Virtual time: what is to happen, by when. Between two events all promises that can go on have gone on, so that a run depends on
 * its seed alone and never waits for a real clock.
 */
import { drainMicrotasks } from 'bun:jsc'
import type { TimeMs } from '@shardy/protocol'

interface Event {
  readonly atMs: number
  readonly order: number
  act: (() => void) | undefined
}

export class Schedule {
  nowMs = 1_700_000_000_000 as TimeMs
  steps = 0
  readonly #events: Event[] = []
  #order = 0

  /** Calls once after `delayMs`, rounded up, as a clock of whole milliseconds sees it; the returned function takes it back. */
  after(delayMs: number, act: () => void): () => void {
    const event: Event = { atMs: this.nowMs + Math.max(0, Math.ceil(delayMs)), order: this.#order++, act }
    this.#rise(this.#events.push(event) - 1)
    return () => {
      event.act = undefined
    }
  }

  /** The next thing happens; false when nothing is left, or nothing until then. */
  step(untilMs = Number.POSITIVE_INFINITY): boolean {
    for (;;) {
      const first = this.#events[0]
      if (first === undefined || first.atMs > untilMs) return false
      this.#dropFirst()
      if (first.act === undefined) continue
      this.nowMs = Math.max(this.nowMs, first.atMs) as TimeMs
      this.steps++
      first.act()
      drainMicrotasks()
      return true
    }
  }

  #rise(from: number): void {
    const events = this.#events
    const event = events[from] as Event
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = events[parent] as Event
      if (!isSooner(event, above)) break
      events[index] = above
      index = parent
    }
    events[index] = event
  }

  #dropFirst(): void {
    const events = this.#events
    const event = events.pop()
    if (event === undefined || events.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= events.length) break
      if (child + 1 < events.length && isSooner(events[child + 1] as Event, events[child] as Event)) child++
      if (!isSooner(events[child] as Event, event)) break
      events[index] = events[child] as Event
      index = child
    }
    events[index] = event
  }
}

function isSooner(left: Event, right: Event): boolean {
  return left.atMs !== right.atMs ? left.atMs < right.atMs : left.order < right.order
}
