/**
 * The sending of one event (spec K12): at least once, until somebody takes it or too many attempts failed. A redirect
 * is never followed: nobody has looked at where it leads.
 */
import {
  choice,
  type DurationMs,
  field,
  type Infer,
  message,
  type TimeMs,
  text,
  values,
  whole,
} from '@shardy/protocol'
import { campaignId } from '../campaignId.ts'
import type { CampaignEvent } from '../record.ts'
import { backoffMs } from '../spread.ts'

export const webhookStatuses = ['pending', 'delivered', 'dead'] as const

export const webhookRecord = message('CampaignWebhookRecord', {
  campaignId: field(1, campaignId),
  sequence: field(2, whole(1, Number.MAX_SAFE_INTEGER)),
  status: field(3, choice(webhookStatuses)),
  attempts: field(4, whole(0, 64)),
  notBeforeMs: field(5, values.timeMs),
  /** What the last attempt came to, in a few words. */
  last: field(6, text(64)),
})
export type WebhookRecord = Infer<typeof webhookRecord>

export interface WebhookPolicy {
  readonly attemptsMax: number
  /** After the first failure; doubles with each, up to the most. */
  readonly retryMs: DurationMs
  readonly retryMsMax: DurationMs
}

/** Three to six and a half hours from the first attempt to the last. */
export const defaultWebhookPolicy: WebhookPolicy = {
  attemptsMax: 16,
  retryMs: 5_000 as DurationMs,
  retryMsMax: 3_600_000 as DurationMs,
}

export type WebhookOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfterMs: DurationMs | undefined }
  /** No answer, or the address was refused; in one word. */
  | { readonly kind: 'failed'; readonly code: string }

export function newWebhook({ campaignId, sequence, atMs }: CampaignEvent): WebhookRecord {
  return { campaignId, sequence, status: 'pending', attempts: 0, notBeforeMs: atMs, last: '' }
}

export function afterAttempt(
  record: WebhookRecord,
  outcome: WebhookOutcome,
  atMs: TimeMs,
  policy: WebhookPolicy = defaultWebhookPolicy,
): WebhookRecord {
  if (record.status !== 'pending') return record
  const attempts = record.attempts + 1
  const last = outcome.kind === 'answered' ? `HTTP ${outcome.status}` : outcome.code
  const tried = { ...record, attempts, last }
  if (outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300) {
    return { ...tried, status: 'delivered' }
  }
  const isGone = outcome.kind === 'answered' && outcome.status === 410
  if (isGone || attempts >= policy.attemptsMax) return { ...tried, status: 'dead' }
  const asked = outcome.kind === 'answered' ? (outcome.retryAfterMs ?? 0) : 0
  const waitMs = Math.max(
    backoffMs(policy, record.campaignId, record.sequence, attempts),
    Math.min(asked, policy.retryMsMax),
  )
  return { ...tried, notBeforeMs: (atMs + waitMs) as TimeMs }
}
