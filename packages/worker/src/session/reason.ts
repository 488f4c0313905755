/** Why a connection was lost (another attempt follows) or the worker stopped (none does), as facts and in words. */
import { describeRefusal, type FrameType, type Refusal, type RefusalCode } from '@shardy/protocol'

export type LostReason =
  | { readonly kind: 'connectionClosed'; readonly code: number; readonly text: string }
  | { readonly kind: 'handshakeTimeout' }
  | { readonly kind: 'heartbeatUnanswered'; readonly intervals: number }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly text: string }
  | { readonly kind: 'malformedFrame'; readonly refusal: Refusal }
  | { readonly kind: 'textFrame' }
  | { readonly kind: 'unexpectedFrame'; readonly frame: FrameType; readonly during: string }
  | { readonly kind: 'unusableHeartbeat'; readonly heartbeatMs: number }
  | { readonly kind: 'duplicateDelivery'; readonly deliveryId: string }
  | { readonly kind: 'unusableBenchmark'; readonly text: string }
  | { readonly kind: 'unusableAudit'; readonly text: string }

export type StopReason =
  | { readonly kind: 'asked' }
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly text: string }
  | { readonly kind: 'unsupportedVersion'; readonly versionMin: number; readonly versionMax: number }
  | { readonly kind: 'signingFailed'; readonly text: string }

export type Reason = LostReason | StopReason

/** One English sentence for a person, without a full stop. */
export function describeReason(reason: Reason): string {
  switch (reason.kind) {
    case 'connectionClosed':
      return `the connection ended (code ${reason.code}${reason.text === '' ? '' : `: ${reason.text}`})`
    case 'handshakeTimeout':
      return 'the orchestrator did not admit this worker in time'
    case 'heartbeatUnanswered':
      return `the orchestrator was silent for ${reason.intervals} heartbeats`
    case 'refused':
      return `the orchestrator refused: ${reason.code}${reason.text === '' ? '' : ` (${reason.text})`}`
    case 'malformedFrame':
      return `the orchestrator sent a malformed frame: ${describeRefusal(reason.refusal)}`
    case 'textFrame':
      return 'the orchestrator sent text where only binary frames belong'
    case 'unexpectedFrame':
      return `the orchestrator sent ${reason.frame} while the worker was ${reason.during}`
    case 'unusableHeartbeat':
      return `the orchestrator asked for a heartbeat every ${reason.heartbeatMs} ms, which is out of bounds`
    case 'duplicateDelivery':
      return `the orchestrator sent delivery ${reason.deliveryId} a second time`
    case 'unusableBenchmark':
      return `the orchestrator asked for a benchmark that cannot be: ${reason.text}`
    case 'unusableAudit':
      return `the orchestrator audits what is not there: ${reason.text}`
    case 'asked':
      return 'stopped as asked'
    case 'unsupportedVersion':
      return `the orchestrator speaks protocol ${reason.versionMin} to ${reason.versionMax}; update this worker`
    case 'signingFailed':
      return `the identity cannot sign: ${reason.text}`
  }
}
