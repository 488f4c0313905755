/**
 * What disputes want done, in order (spec B23). `save` comes first: nothing is sent before what justifies it is
 * durable. Everything else may be carried out twice.
 */
import type { DeliveryId, Digest, PublicKey, Signature, TimeMs, WorkerId } from '@shardy/protocol'
import type { PartyRefusal, ProgramRefusal } from './party.ts'
import type { Question } from './question.ts'
import type { DisputeId, DisputeOutcome, DisputeRecord } from './record.ts'

interface About {
  readonly disputeId: DisputeId
}

interface ToSide extends About {
  readonly workerId: WorkerId
  readonly deliveryId: DeliveryId
  readonly dueMs: TimeMs
}

export type OpenRefusal =
  | PartyRefusal
  | ProgramRefusal
  | { readonly kind: 'notAParty'; readonly workerId: WorkerId }
  | { readonly kind: 'tooLate'; readonly openUntilMs: TimeMs }
  /** A deadline that no orchestrator gave would keep the dispute in memory for as long. */
  | { readonly kind: 'deadlineTooFar'; readonly deadlineMs: TimeMs }
  | { readonly kind: 'duplicate'; readonly disputeId: DisputeId }
  | { readonly kind: 'overloaded'; readonly openMax: number; readonly endedMax: number }

export type IgnoredReason =
  | 'unknownDispute'
  /** The dispute is over. */
  | 'ended'
  | 'notAParty'
  /** Nothing of the kind was asked for. */
  | 'notAsked'
  /** Another subtree's halves: an earlier round, or none of this dispute. */
  | 'otherRound'
  | 'alreadyShown'
  | 'alreadyChecked'

export type RevealFlaw =
  /** They do not hash to what this side showed, or signed, before. */
  | 'wrongHalves'
  /** They are not the leaves that were named, or not in the trace. */
  | 'wrongLeaves'

export type Effect =
  | {
      readonly kind: 'save'
      readonly records: readonly DisputeRecord[]
      readonly forgotten: readonly DisputeId[]
    }
  | (About & {
      readonly kind: 'verify'
      readonly workerId: WorkerId
      readonly publicKey: PublicKey
      readonly payload: Uint8Array
      readonly signature: Signature
    })
  /** These and no others are kept for this dispute, until then and no longer. */
  | (About & { readonly kind: 'keepBlobs'; readonly digests: readonly Digest[]; readonly untilMs: TimeMs })
  | (About & { readonly kind: 'releaseBlobs' })
  | (ToSide & { readonly kind: 'askHalves'; readonly from: number; readonly to: number })
  | (ToSide & { readonly kind: 'askLeaves'; readonly nodes: readonly number[] })
  | (ToSide & { readonly kind: 'askBlobs'; readonly digests: readonly Digest[] })
  | (About & { readonly kind: 'reexecute'; readonly question: Question; readonly dueMs: TimeMs })
  | (About & { readonly kind: 'ended'; readonly outcome: DisputeOutcome })
  | { readonly kind: 'refused'; readonly refusal: OpenRefusal }
  /** It counts as not shown; a right one is taken until the window closes. */
  | (About & { readonly kind: 'revealRefused'; readonly workerId: WorkerId; readonly flaw: RevealFlaw })
  /** The input changed nothing; a late, repeated or foreign message is not an error of ours. */
  | { readonly kind: 'ignored'; readonly reason: IgnoredReason }
