/**
 * What a campaign wants done, in order (spec K6). `save` comes first and is one atomic batch: nothing is submitted or
 * told before what justifies it is durable. Everything else may be carried out twice.
 */
import type { CampaignEvent, CampaignRecord, ItemAttempt, ItemResult, OpenItem } from './record.ts'

export type IgnoredReason =
  | 'alreadyCreated'
  | 'ended'
  /** It runs; there is nothing to resume. */
  | 'running'
  | 'alreadyPaused'
  | 'stopping'
  /** The item has a result, or was never opened. */
  | 'notOpen'
  | 'otherAttempt'
  /** Its task is there, or it waits for its next attempt. */
  | 'notSubmitting'

export interface Save {
  readonly kind: 'save'
  readonly record: CampaignRecord
  /** Rows to put, replacing an earlier attempt's. */
  readonly opened: readonly OpenItem[]
  /** Rows to put; the open rows of the same items go. */
  readonly settled: readonly ItemResult[]
  /** Segments of which every item has a result now: their rows become one. */
  readonly complete: readonly number[]
  /** Rows to put; those that `webhook` names below are queued for sending in the same batch. */
  readonly events: readonly CampaignEvent[]
}

export type Effect =
  | Save
  | { readonly kind: 'submitItems'; readonly items: readonly ItemAttempt[] }
  | { readonly kind: 'cancelItems'; readonly items: readonly ItemAttempt[] }
  /** Say of each what its task is: ended, there (`accepted`), or unknown. */
  | { readonly kind: 'checkItems'; readonly items: readonly ItemAttempt[] }
  | { readonly kind: 'publish'; readonly event: CampaignEvent }
  | { readonly kind: 'webhook'; readonly event: CampaignEvent }
  /** The input, or this part of it, changed nothing. */
  | { readonly kind: 'ignored'; readonly reason: IgnoredReason; readonly index: number | undefined }
