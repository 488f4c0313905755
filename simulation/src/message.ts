/** What host and workers say to each other: the protocol's statements without its bytes. A signature is who says it about what. */
import type { DeliveryId, Digest, PresenceState, RejectReason, TaskId, WorkerId } from '@shardy/protocol'
import type { Answer } from './work.ts'

export interface FakeSignature {
  readonly signerId: WorkerId
  readonly deliveryId: DeliveryId
  readonly outputDigest: Digest
  /** Every ECDSA signature has a second form that is valid as well. */
  readonly form: 1 | 2
}

export type FromWorker =
  | { readonly kind: 'acked'; readonly deliveryId: DeliveryId }
  | { readonly kind: 'committed'; readonly deliveryId: DeliveryId; readonly commitment: Digest }
  | {
      readonly kind: 'answered'
      readonly deliveryId: DeliveryId
      readonly answer: Answer
      readonly salt: string | undefined
      readonly signature: FakeSignature
    }
  | { readonly kind: 'rejected'; readonly deliveryId: DeliveryId; readonly reason: RejectReason }
  | { readonly kind: 'presence'; readonly state: PresenceState }

export type ToWorker =
  | {
      readonly kind: 'deliver'
      readonly deliveryId: DeliveryId
      readonly taskId: TaskId
      readonly commitsFirst: boolean
    }
  | { readonly kind: 'closed'; readonly deliveryId: DeliveryId }
  | { readonly kind: 'cancelled'; readonly deliveryId: DeliveryId }
  | { readonly kind: 'settled'; readonly deliveryId: DeliveryId; readonly isAccepted: boolean }
  | { readonly kind: 'benchmark' }
