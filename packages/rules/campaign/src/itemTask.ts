/**
 * The task of one attempt at one item (spec K7). Its id follows from campaign, index and attempt alone, so submitting
 * after a crash what was submitted before it is the same task and never a second one.
 */
import { encodeHex, field, message, type Sha256, type TaskId, whole } from '@shardy/protocol'
import { type CampaignId, campaignId } from './campaignId.ts'
import { itemsMax, retriesMax } from './limits.ts'

export const itemTaskContent = message('CampaignItemTask', {
  campaignId: field(1, campaignId),
  index: field(2, whole(0, itemsMax - 1)),
  attempt: field(3, whole(1, retriesMax + 1)),
})

/** A domain as in spec S1: these bytes are hashed for nothing else. */
const domain = Uint8Array.from('shardy/campaign-item/v1\0', (letter) => letter.charCodeAt(0))

export function itemTaskId(id: CampaignId, index: number, attempt: number, sha256: Sha256): TaskId {
  const content = itemTaskContent.encode({ campaignId: id, index, attempt })
  const payload = new Uint8Array(domain.length + content.length)
  payload.set(domain)
  payload.set(content, domain.length)
  return encodeHex(sha256(payload).subarray(0, 16)) as TaskId
}
