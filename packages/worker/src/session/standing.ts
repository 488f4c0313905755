/** What the orchestrator says of this worker (spec W44, W45): what it was measured at, and why it gets nothing. */
import type { AdmittedFrame, Idle } from '@shardy/protocol'
import { change, report, type Turn } from './turn.ts'

export function measured(turn: Turn, { tier, operationsPerSecond, message }: AdmittedFrame): void {
  change(turn, { standing: { tier, operationsPerSecond, message } })
  report(turn, { kind: 'measured', tier, operationsPerSecond, text: message })
}

export function idled(turn: Turn, { constraint, message }: Idle): void {
  const before = turn.state.idle
  change(turn, { idle: { constraint, message, atMs: turn.nowMs } })
  if (before?.constraint === constraint && before.message === message) return
  report(turn, { kind: 'idle', constraint, text: message })
}
