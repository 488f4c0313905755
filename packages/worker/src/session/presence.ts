/** Whether the worker takes work, and telling the orchestrator when that changes (spec W15). */
import type { PresenceState } from '@shardy/protocol'
import { dropBenchmark } from './benchmark.ts'
import { rejectHeld } from './ending.ts'
import { startNext } from './execution.ts'
import { rejectOpenSmall } from './small/ending.ts'
import type { SessionState } from './state.ts'
import { change, send, type Turn, takesSlot } from './turn.ts'

export function presenceOf({ paused, hidden }: SessionState): PresenceState {
  if (paused) return 'paused'
  return hidden ? 'hidden' : 'available'
}

function update(turn: Turn, changes: Pick<SessionState, 'paused'> | Pick<SessionState, 'hidden'>): void {
  const before = presenceOf(turn.state)
  change(turn, changes)
  const state = presenceOf(turn.state)
  if (state !== before) send(turn, 'presence', { state })
}

/** The device is wanted back at once: unfinished work is handed back. Commitments are kept, they cost nothing more. */
export function pause(turn: Turn): void {
  update(turn, { paused: true })
  rejectOpenSmall(turn, 'paused', 'the worker was paused')
  dropBenchmark(turn)
  for (const held of turn.state.deliveries.values()) {
    if (takesSlot(held)) rejectHeld(turn, held, 'paused', 'the worker was paused')
  }
}

export function resume(turn: Turn): void {
  update(turn, { paused: false })
  startNext(turn)
}

export function hide(turn: Turn, hidden: boolean): void {
  update(turn, { hidden })
}
