/** What host and workers say to each other: the protocol's statements and results, without frames around them. */
import type { describe } from '@shardy/app-orchestrator/parts'
import type { DeliveryId, Digest, PresenceState, ProgramId, RejectReason, Results } from '@shardy/protocol'

/** What both sides' statements cover of a delivery. */
export type Described = ReturnType<typeof describe> & { readonly programId: ProgramId }

export type FromWorker =
  | { readonly kind: 'acked'; readonly deliveryId: DeliveryId }
  | { readonly kind: 'committed'; readonly deliveryId: DeliveryId; readonly commitment: Digest }
  | { readonly kind: 'answered'; readonly results: Results }
  | { readonly kind: 'rejected'; readonly deliveryId: DeliveryId; readonly reason: RejectReason }
  | { readonly kind: 'presence'; readonly state: PresenceState }

export type ToWorker =
  | {
      readonly kind: 'deliver'
      readonly deliveryId: DeliveryId
      readonly described: Described
      readonly commitsFirst: boolean
    }
  | { readonly kind: 'closed'; readonly deliveryId: DeliveryId }
  | { readonly kind: 'cancelled'; readonly deliveryId: DeliveryId }
  | { readonly kind: 'settled'; readonly deliveryId: DeliveryId; readonly isAccepted: boolean }
  | { readonly kind: 'benchmark' }
