/** What a person may want to read in a log, one fact each. */
import type {
  CancelReason,
  DeliveryId,
  MicroCredit,
  OrchestratorId,
  Outcome,
  RejectReason,
  SessionId,
  TaskId,
} from '@shardy/protocol'
import type { LostReason, StopReason } from './reason.ts'

interface AboutDelivery {
  readonly deliveryId: DeliveryId
  readonly taskId: TaskId
}

export type WorkerEvent =
  | { readonly kind: 'connecting'; readonly attempt: number }
  | { readonly kind: 'admitted'; readonly sessionId: SessionId; readonly orchestratorId: OrchestratorId }
  | { readonly kind: 'lost'; readonly reason: LostReason; readonly retryMs: number }
  | { readonly kind: 'stopped'; readonly reason: StopReason }
  | {
      readonly kind: 'measured'
      readonly tier: number
      readonly operationsPerSecond: number
      readonly text: string
    }
  | { readonly kind: 'idle'; readonly constraint: string; readonly text: string }
  | { readonly kind: 'benchmark'; readonly phase: 'running' | 'answered' }
  | { readonly kind: 'benchmark'; readonly phase: 'failed'; readonly text: string }
  /** Small tasks are told of by number: they come by thousands a second. */
  | { readonly kind: 'smallCommitted' | 'smallAnswered'; readonly count: number }
  | {
      readonly kind: 'smallRejected'
      readonly count: number
      readonly reason: RejectReason
      readonly text: string
    }
  | {
      readonly kind: 'smallSettled'
      readonly accepted: number
      readonly unpaid: number
      readonly rewardMicroCredit: bigint
    }
  | (AboutDelivery & { readonly kind: 'executing'; readonly summary: string })
  | (AboutDelivery & { readonly kind: 'rejected'; readonly reason: RejectReason; readonly text: string })
  | (AboutDelivery & { readonly kind: 'committed' })
  | (AboutDelivery & { readonly kind: 'answered' })
  | (AboutDelivery & { readonly kind: 'cancelled'; readonly reason: CancelReason })
  | (AboutDelivery & {
      readonly kind: 'settled'
      readonly outcome: Outcome
      readonly rewardMicroCredit: MicroCredit
    })
