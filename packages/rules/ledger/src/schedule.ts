/** Amounts of one worker that wait for a time, the earliest first (spec L10, L12). Few: one for each epoch. */
import { field, type Infer, message, type TimeMs, values } from '@shardy/protocol'
import { schedulePlacesMax } from './parameters.ts'

export const due = message('BookDue', {
  dueMs: field(1, values.timeMs),
  amount: field(2, values.microCredit),
})
export type Due = Infer<typeof due>

interface Place {
  dueMs: TimeMs
  amount: bigint
}
export type Schedule = Place[]

/** The end of the epoch, and then the delay: all of one epoch is due together, none of it early. */
export function dueAfter(atMs: number, epochMs: number, delayMs: number): TimeMs {
  return ((Math.floor(atMs / epochMs) + 1) * epochMs + delayMs) as TimeMs
}

export function wait(schedule: Schedule, dueMs: TimeMs, amount: bigint): void {
  // New amounts come last, unless the parameters changed in between.
  let index = schedule.length
  while (index > 0 && (schedule[index - 1]?.dueMs ?? 0) > dueMs) index--
  const before = schedule[index - 1]
  const last = schedule[schedule.length - 1]
  if (before?.dueMs === dueMs) before.amount += amount
  else if (schedule.length < schedulePlacesMax || last === undefined)
    schedule.splice(index, 0, { dueMs, amount })
  else {
    // No place is left. Waiting longer is safe, waiting shorter is not.
    last.amount += amount
    if (last.dueMs < dueMs) last.dueMs = dueMs
  }
}

/** What is due at a time and still lies in the schedule. */
export function dueAmount(schedule: Schedule, atMs: number): bigint {
  let sum = 0n
  for (const place of schedule) {
    if (place.dueMs > atMs) break
    sum += place.amount
  }
  return sum
}

export function dropDue(schedule: Schedule, atMs: number): void {
  const kept = schedule.findIndex(({ dueMs }) => dueMs > atMs)
  schedule.splice(0, kept < 0 ? schedule.length : kept)
}

/** Takes from what waits longest first. */
export function takeLast(schedule: Schedule, amount: bigint): void {
  let left = amount
  while (left > 0n) {
    const last = schedule[schedule.length - 1]
    if (last === undefined) throw new Error(`${left} more than waits was taken from a schedule`)
    if (last.amount > left) {
      last.amount -= left
      return
    }
    left -= last.amount
    schedule.pop()
  }
}

export function waiting(schedule: Schedule): bigint {
  let sum = 0n
  for (const { amount } of schedule) sum += amount
  return sum
}
