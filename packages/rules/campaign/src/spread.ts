/** How long to wait before trying again: half is certain, half is spread by what is tried, so that what failed together is not tried together. */
import type { DurationMs } from '@shardy/protocol'
import type { CampaignId } from './campaignId.ts'

export function backoffMs(
  { retryMs, retryMsMax }: { readonly retryMs: DurationMs; readonly retryMsMax: DurationMs },
  campaignId: CampaignId,
  what: number,
  failures: number,
): DurationMs {
  const wholeMs = Math.min(retryMs * 2 ** (failures - 1), retryMsMax)
  let mixed = Number.parseInt(campaignId.slice(0, 8), 16) ^ Math.imul(what + 1, 0x9e3779b1) ^ failures
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return Math.ceil(wholeMs * (0.5 + ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 33)) as DurationMs
}
