/**
 * What is kept of a campaign beside its manifest (spec K4): one record of bounded size, a row for every open item, one
 * for every result, one for every event. The store's schema version covers this file.
 */
import { choice, field, type Infer, message, optional, text, values, whole } from '@shardy/protocol'
import { campaignId } from './campaignId.ts'
import { codeLengthMax, itemsMax, retriesMax } from './limits.ts'

const safeInteger = Number.MAX_SAFE_INTEGER
const items = () => whole(0, itemsMax)
const attemptsMax = retriesMax + 1

/** New words go to the end: their order numbers them in records. */
export const campaignStatuses = ['running', 'paused', 'stopping', 'ended'] as const
export type CampaignStatus = (typeof campaignStatuses)[number]

/** Why it is paused, or why it stops or has ended. */
export const campaignReasons = [
  'asked',
  'fundsMissing',
  'completed',
  'budgetSpent',
  'deadline',
  'tooManyFailures',
  'cancelled',
] as const
export type CampaignReason = (typeof campaignReasons)[number]

/** `accepted` was neither checked, agreed on nor computed again. `refused`: it could not become a task. */
export const itemStatuses = ['verified', 'accepted', 'dead', 'refused', 'cancelled'] as const
export type ItemStatus = (typeof itemStatuses)[number]

export const campaignRecord = message('CampaignRecord', {
  campaignId: field(1, campaignId),
  requesterId: field(2, values.requesterId),
  createdAtMs: field(3, values.timeMs),
  status: field(4, choice(campaignStatuses)),
  reason: field(5, optional(choice(campaignReasons))),
  /** Every item below has been opened, none above has. */
  next: field(6, items()),
  verified: field(7, items()),
  accepted: field(8, items()),
  dead: field(9, items()),
  refused: field(10, items()),
  cancelled: field(11, items()),
  spentMicroCredit: field(12, values.microCredit),
  /** How many events there were; the next has this number plus one. */
  events: field(13, whole(0, safeInteger)),
  endedAtMs: field(14, optional(values.timeMs)),
})
export type CampaignRecord = Infer<typeof campaignRecord>

/** Which task is spoken of: the campaign's, for this item, at this attempt. */
export interface ItemAttempt {
  readonly index: number
  readonly attempt: number
}

/** An item that has been opened and has no result. Written before its task is submitted. */
export const openItem = message('CampaignOpenItem', {
  index: field(1, whole(0, itemsMax - 1)),
  attempt: field(2, whole(1, attemptsMax)),
  /** Of its earlier attempts. */
  costMicroCredit: field(3, values.microCredit),
})
export type OpenItem = Infer<typeof openItem>

export const itemResult = message('CampaignItemResult', {
  index: field(1, whole(0, itemsMax - 1)),
  status: field(2, choice(itemStatuses)),
  /** Tasks that it had; the last of them gave the status. */
  attempts: field(3, whole(0, attemptsMax)),
  outputDigest: field(4, optional(values.digest)),
  /** Of all its attempts. */
  costMicroCredit: field(5, values.microCredit),
  /** Why it died or was refused. */
  code: field(6, text(codeLengthMax)),
})
export type ItemResult = Infer<typeof itemResult>

export const campaignEventTypes = [
  'campaign_started',
  'campaign_progress',
  'campaign_paused',
  'campaign_resumed',
  'campaign_stopping',
  'campaign_ended',
] as const
export type CampaignEventType = (typeof campaignEventTypes)[number]

/** With the counts as they were: whoever missed all others learns everything from the last. */
export const campaignEvent = message('CampaignEvent', {
  campaignId: field(1, campaignId),
  sequence: field(2, whole(1, safeInteger)),
  atMs: field(3, values.timeMs),
  type: field(4, choice(campaignEventTypes)),
  status: field(5, choice(campaignStatuses)),
  reason: field(6, optional(choice(campaignReasons))),
  total: field(7, items()),
  open: field(8, items()),
  verified: field(9, items()),
  accepted: field(10, items()),
  dead: field(11, items()),
  refused: field(12, items()),
  cancelled: field(13, items()),
  spentMicroCredit: field(14, values.microCredit),
})
export type CampaignEvent = Infer<typeof campaignEvent>

type Counts = Pick<CampaignRecord, ItemStatus>

export function settledOf({ verified, accepted, dead, refused, cancelled }: Counts): number {
  return verified + accepted + dead + refused + cancelled
}
