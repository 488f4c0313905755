/** Everything that happens because time passes: heartbeats, silence, deadlines, and the next attempt to connect. */
import type { Heartbeat } from '@shardy/protocol'
import { silentIntervalsMax } from './bounds.ts'
import { connect, lose } from './connection.ts'
import { rejectHeld } from './ending.ts'
import { rejectSmall } from './small/ending.ts'
import { countOpen, pastDeadline } from './small/work.ts'
import type { Admitted, HeldDelivery, SessionState } from './state.ts'
import { change, changeAdmitted, countHeld, send, type Turn, takesSlot } from './turn.ts'

function silentAtMs({ heardAtMs, heartbeatMs, receiving, sendingUntilMs }: Admitted): number {
  const quietFromMs = Math.max(heardAtMs, sendingUntilMs)
  return Math.max(quietFromMs + silentIntervalsMax * heartbeatMs, receiving?.patienceEndsAtMs ?? 0)
}

/** The delivery's deadline on our own clock. A commitment made in time is not bound by it any more. */
function deadlineAtMs({ delivery }: HeldDelivery, { orchestrator }: Admitted): number {
  return delivery.deadlineMs - orchestrator.clockOffsetMs
}

/** When the session wants its `woke`; undefined when time alone changes nothing. */
export function nextWakeMs({ connection, deliveries, small }: SessionState): number | undefined {
  switch (connection.kind) {
    case 'idle':
    case 'stopped':
      return undefined
    case 'waiting':
      return connection.retryAtMs
    case 'connecting':
    case 'opened':
    case 'challenged':
    case 'helloSent':
      return connection.giveUpAtMs
    case 'admitted': {
      const smallMs = small.noDeadlineBeforeMs - connection.orchestrator.clockOffsetMs
      let earliestMs = Math.min(connection.nextHeartbeatAtMs, silentAtMs(connection), smallMs)
      for (const held of deliveries.values()) {
        if (takesSlot(held)) earliestMs = Math.min(earliestMs, deadlineAtMs(held, connection))
      }
      return earliestMs
    }
  }
}

function beat(turn: Turn, connection: Admitted): void {
  const sequence = (connection.sequence + 1) >>> 0
  changeAdmitted(turn, { sequence, nextHeartbeatAtMs: turn.nowMs + connection.heartbeatMs })
  const inFlight = countHeld(turn.state, takesSlot) + countOpen(turn.state.small)
  send(turn, 'heartbeat', { sequence, inFlight })
}

const tooLate = 'the deadline passed before the answer was there'

export function woke(turn: Turn): void {
  const { nowMs } = turn
  const { connection } = turn.state
  switch (connection.kind) {
    case 'idle':
    case 'stopped':
      return
    case 'waiting':
      if (nowMs >= connection.retryAtMs) connect(turn)
      return
    case 'connecting':
    case 'opened':
    case 'challenged':
    case 'helloSent':
      if (nowMs >= connection.giveUpAtMs) lose(turn, { kind: 'handshakeTimeout' })
      return
    case 'admitted':
      if (nowMs >= silentAtMs(connection)) {
        return lose(turn, { kind: 'heartbeatUnanswered', intervals: silentIntervalsMax })
      }
      rejectSmall(
        turn,
        pastDeadline(turn.state.small, nowMs + connection.orchestrator.clockOffsetMs),
        'outOfTime',
        tooLate,
      )
      for (const held of turn.state.deliveries.values()) {
        if (takesSlot(held) && nowMs >= deadlineAtMs(held, connection)) {
          rejectHeld(turn, held, 'outOfTime', tooLate)
        }
      }
      if (nowMs >= connection.nextHeartbeatAtMs) beat(turn, connection)
  }
}

/** An answered heartbeat shows that the session works: the next loss starts with a short wait again. */
export function heartbeatEchoed(turn: Turn, connection: Admitted, { sequence }: Heartbeat): void {
  if (sequence === 0 || sequence > connection.sequence) {
    return lose(turn, { kind: 'unexpectedFrame', frame: 'heartbeat', during: 'waiting for another sequence' })
  }
  change(turn, { failures: 0 })
}
