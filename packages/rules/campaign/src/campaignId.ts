/** A campaign's id, 16 bytes as 32 hex characters; its maker draws it at random or hashes what was asked. */
import { type Brand, hex } from '@shardy/protocol'

export type CampaignId = Brand<string, 'CampaignId'>
export const campaignId = hex<CampaignId>(16)
