/**
 * What a webhook says (spec K11): an event as canonical JSON, signed with the secret that the receiver knows. Every
 * attempt at one event has the same id and body; time and signature are of the attempt.
 */
import { decodeHex, encodeHex, type Sha256, type TimeMs } from '@shardy/protocol'
import type { CampaignEvent } from '../record.ts'
import { canonicalJson } from './canonicalJson.ts'
import { hmacSha256, isSame } from './hmac.ts'

export const webhookHeaders = {
  id: 'shardy-event-id',
  timeMs: 'shardy-time-ms',
  signature: 'shardy-signature',
} as const

export const secretBytesMin = 16
export const secretBytesMax = 256
/** A receiver refuses what is older, or further ahead, than this. */
export const toleranceMsDefault = 300_000

export function webhookEventId({ campaignId, sequence }: CampaignEvent): string {
  return `${campaignId}-${sequence}`
}

export function webhookBody(event: CampaignEvent): string {
  const { reason, ...always } = event
  return canonicalJson({ ...always, eventId: webhookEventId(event), ...(reason !== undefined && { reason }) })
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))

/** Id, time and body, so that none of them can be taken from another message. */
function signedPart(eventId: string, atMs: number, body: string): Uint8Array {
  return ascii(`${eventId}.${atMs}.${body}`)
}

export function signWebhook(
  secret: Uint8Array,
  event: CampaignEvent,
  atMs: TimeMs,
  sha256: Sha256,
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  if (secret.length < secretBytesMin || secret.length > secretBytesMax) {
    throw new RangeError(
      `a secret of ${secret.length} bytes, allowed are ${secretBytesMin} to ${secretBytesMax}`,
    )
  }
  const eventId = webhookEventId(event)
  const body = webhookBody(event)
  const signature = encodeHex(hmacSha256(secret, signedPart(eventId, atMs, body), sha256))
  const headers = {
    'content-type': 'application/json',
    [webhookHeaders.id]: eventId,
    [webhookHeaders.timeMs]: String(atMs),
    [webhookHeaders.signature]: `v1=${signature}`,
  }
  return { headers, body }
}

export type WebhookFlaw = 'noSignature' | 'noTime' | 'wrongTime' | 'wrongSignature'

/** For receivers. The body is the text as it came, not parsed and written again. */
export function verifyWebhook(
  received: {
    readonly eventId: string
    readonly timeMs: string
    readonly signature: string
    readonly body: string
  },
  secret: Uint8Array,
  nowMs: TimeMs,
  sha256: Sha256,
  toleranceMs = toleranceMsDefault,
): WebhookFlaw | undefined {
  const { eventId, timeMs, signature, body } = received
  const given = /^v1=[0-9a-f]{64}$/.test(signature) ? decodeHex(signature.slice(3)) : undefined
  if (given === undefined) return 'noSignature'
  if (!/^(0|[1-9][0-9]{0,15})$/.test(timeMs)) return 'noTime'
  if (Math.abs(nowMs - Number(timeMs)) > toleranceMs) return 'wrongTime'
  // What is not ASCII was never signed, and would be cut to bytes.
  if (!/^[\x20-\x7e]*$/.test(eventId + body)) return 'wrongSignature'
  const expected = hmacSha256(secret, signedPart(eventId, Number(timeMs), body), sha256)
  return isSame(expected, given) ? undefined : 'wrongSignature'
}
