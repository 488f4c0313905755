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
