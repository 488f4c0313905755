/** A campaign's events, from its rows and then as they are saved. */
import type { FoundCampaign } from '../campaigns/campaigns.ts'
import type { Services } from '../orchestrator.ts'
import type { Viewer } from '../telemetry/follower.ts'
import { viewCampaignEvent } from './campaigns.ts'
import { streamEvents } from './eventStream.ts'

const pageEvents = 500

export function streamCampaignEvents(
  { campaigns, clock, log }: Services,
  found: FoundCampaign,
  after: number,
  viewer: Viewer,
): Response {
  const { campaignId } = found.state.record
  return streamEvents(
    {
      subscribe: (listener) =>
        campaigns.subscribe(campaignId, (event) => listener(viewCampaignEvent(event)), viewer.requesterId),
      read: async (last) =>
        (await campaigns.rows.events(campaignId, last, pageEvents)).map(viewCampaignEvent),
      isLive: () => campaigns.isLive(campaignId),
      isLast: ({ type }) => type === 'campaign_ended',
      failed: (error) => log.error('eventsNotStreamed', error, { campaignId }),
    },
    after,
    viewer,
    clock,
  )
}
