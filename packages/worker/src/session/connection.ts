/** How a connection begins, is lost and is tried again; and how the worker stops for good. */
import { dropBenchmark } from './benchmark.ts'
import { closeTextLengthMax, ghostIntervals, handshakeMs, reconnectMsMax, reconnectMsMin } from './bounds.ts'
import type { CloseCause } from './effect.ts'
import { dropDeliveries } from './ending.ts'
import type { InputOf } from './input.ts'
import type { LostReason, StopReason } from './reason.ts'
import type { Connection } from './state.ts'
import { change, report, sendOn, type Turn } from './turn.ts'
import { wireText } from './wireText.ts'

export function connect(turn: Turn): void {
  const number = turn.state.attempts + 1
  change(turn, {
    attempts: number,
    connection: { kind: 'connecting', number, giveUpAtMs: turn.nowMs + handshakeMs },
  })
  report(turn, { kind: 'connecting', attempt: number })
  turn.effects.push({ kind: 'connect', connection: number })
}

export function start(turn: Turn): void {
  if (turn.state.connection.kind === 'idle') connect(turn)
}

/** The number of the connection that has a socket. */
export function openNumber(connection: Connection): number | undefined {
  return 'number' in connection ? connection.number : undefined
}

export function opened(turn: Turn): void {
  const { connection } = turn.state
  if (connection.kind === 'connecting') change(turn, { connection: { ...connection, kind: 'opened' } })
}

export function closed(turn: Turn, { code, text }: InputOf<'closed'>): void {
  // The other side may close with any text at all, and a terminal obeys what it prints.
  lose(turn, { kind: 'connectionClosed', code, text: wireText(text, closeTextLengthMax) })
}

/** A step of a linear congruential generator: jitter needs to differ between workers, not to be secret. */
function drawJitter(turn: Turn): number {
  const jitterSeed = (Math.imul(turn.state.jitterSeed, 1_664_525) + 1_013_904_223) >>> 0
  change(turn, { jitterSeed })
  return jitterSeed / 2 ** 32
}

/** Doubles with every failure; a random part of it keeps a thousand workers from returning at the same moment. */
function drawReconnectMs(turn: Turn): number {
  const ceilingMs = Math.min(reconnectMsMax, reconnectMsMin * 2 ** Math.min(turn.state.failures + 1, 16))
  return Math.round(reconnectMsMin + drawJitter(turn) * (ceilingMs - reconnectMsMin))
}

function leave(turn: Turn, cause: CloseCause): void {
  const { connection } = turn.state
  const number = openNumber(connection)
  dropDeliveries(turn)
  dropBenchmark(turn)
  change(turn, { idle: undefined, standing: undefined })
  if (number !== undefined) turn.effects.push({ kind: 'close', connection: number, cause })
  if (connection.kind === 'admitted') {
    change(turn, { ghostUntilMs: turn.nowMs + ghostIntervals * connection.heartbeatMs })
  }
}

const causes: Partial<Record<LostReason['kind'], CloseCause>> = {
  connectionClosed: 'leaving',
  handshakeTimeout: 'silence',
  heartbeatUnanswered: 'silence',
  refused: 'refused',
}

/** Gives the connection up and waits before the next attempt. */
export function lose(turn: Turn, reason: LostReason): void {
  leave(turn, causes[reason.kind] ?? 'violation')
  const retryMs = drawReconnectMs(turn)
  change(turn, {
    failures: turn.state.failures + 1,
    connection: { kind: 'waiting', reason, retryAtMs: turn.nowMs + retryMs },
  })
  report(turn, { kind: 'lost', reason, retryMs })
}

/** Ends the session for good. */
export function stop(turn: Turn, reason: StopReason): void {
  const { connection } = turn.state
  if (connection.kind === 'stopped') return
  if (connection.kind === 'admitted') sendOn(turn, connection.number, 'presence', { state: 'leaving' })
  leave(turn, reason.kind === 'refused' ? 'refused' : 'leaving')
  change(turn, { connection: { kind: 'stopped', reason } })
  report(turn, { kind: 'stopped', reason })
}
