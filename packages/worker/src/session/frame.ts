/** Where each frame of the orchestrator goes. One that is malformed or out of place ends the connection. */
import { decodeFrame, type Frame } from '@shardy/protocol'
import { challenged, refused, welcomed } from './admission.ts'
import { blockAsked, tileAsked } from './audit.ts'
import { benchmarkAsked, benchmarkOpened } from './benchmarkFrames.ts'
import { lose } from './connection.ts'
import { cancelled, settled } from './ending.ts'
import { commitmentsClosed } from './execution.ts'
import { heartbeatEchoed } from './liveness.ts'
import { deliveryCame, payloadCame } from './receiving.ts'
import { deliveriesCame } from './small/receiving.ts'
import { idled, measured } from './standing.ts'
import type { Admitted } from './state.ts'
import { changeAdmitted, type Turn } from './turn.ts'

export function frameCame(turn: Turn, bytes: Uint8Array | undefined): void {
  if (bytes === undefined) return lose(turn, { kind: 'textFrame' })
  changeAdmitted(turn, { heardAtMs: turn.nowMs })
  const { connection } = turn.state
  if (connection.kind === 'admitted' && connection.receiving !== undefined) {
    return payloadCame(turn, connection, bytes)
  }
  // Every message has memory of its own, and small inputs are gone in a moment.
  const decoded = decodeFrame(bytes, 'orchestrator', true)
  if (!decoded.ok) return lose(turn, { kind: 'malformedFrame', refusal: decoded.refusal })
  const frame = decoded.value
  if (frame.type === 'refusal') return refused(turn, frame.body)
  if (connection.kind === 'admitted' && admittedFrame(turn, connection, frame)) return
  if (connection.kind === 'opened' && frame.type === 'challenge') {
    return challenged(turn, connection, frame.body)
  }
  if (connection.kind === 'helloSent' && frame.type === 'welcome') {
    return welcomed(turn, connection, frame.body)
  }
  lose(turn, { kind: 'unexpectedFrame', frame: frame.type, during: connection.kind })
}

/** False when the frame does not belong into an admitted session. */
function admittedFrame(turn: Turn, connection: Admitted, frame: Frame): boolean {
  switch (frame.type) {
    case 'heartbeat':
      heartbeatEchoed(turn, connection, frame.body)
      return true
    case 'delivery':
      deliveryCame(turn, connection, frame.body)
      return true
    case 'cancel':
      cancelled(turn, frame.body)
      return true
    case 'deliveries':
      deliveriesCame(turn, connection, frame.body)
      return true
    case 'closings':
      commitmentsClosed(turn, frame.body)
      return true
    case 'settlements':
      settled(turn, frame.body)
      return true
    case 'benchmark':
      benchmarkAsked(turn, frame.body)
      return true
    case 'benchmarkOpen':
      benchmarkOpened(turn, frame.body)
      return true
    case 'auditTile':
      tileAsked(turn, frame.body)
      return true
    case 'auditBlock':
      blockAsked(turn, frame.body)
      return true
    case 'admitted':
      measured(turn, frame.body)
      return true
    case 'idle':
      idled(turn, frame.body)
      return true
    default:
      return false
  }
}
