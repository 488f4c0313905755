/** A campaign's events as a stream: first what is on disk, then what is saved while somebody listens. */
import { ApiError } from '@shardy/api'
import type { CampaignEvent } from '@shardy/campaign'
import type { FoundCampaign } from '../campaigns/campaigns.ts'
import type { Services } from '../orchestrator.ts'
import type { Viewer } from '../telemetry/follower.ts'
import { viewCampaignEvent } from './campaigns.ts'

/** A listener that does not read is let go; it resumes from the last event it had. */
const waitingMax = 1_000
/** A comment now and then keeps proxies from closing a quiet line. */
const quietMs = 15_000
const pageEvents = 500

export function streamCampaignEvents(
  services: Services,
  found: FoundCampaign,
  after: number,
  viewer: Viewer,
): Response {
  const { campaigns, clock, log } = services
  const { campaignId } = found.state.record
  const encoder = new TextEncoder()
  let sendTo: ReadableStreamDefaultController<Uint8Array> | undefined
  let last = after
  /** What is published while the store is being read. */
  let early: CampaignEvent[] | undefined = []
  let cancelQuiet = (): void => {}

  const unsubscribe = campaigns.subscribe(
    campaignId,
    (event) => {
      if (early === undefined) send(event)
      else if (early.push(event) > waitingMax) end()
    },
    viewer.requesterId,
  )
  if (unsubscribe === undefined) {
    throw new ApiError('overloaded', { detail: 'too many listen to campaigns already', retryAfterMs: 5_000 })
  }

  function end(): void {
    if (sendTo === undefined) return
    const ended = sendTo
    sendTo = undefined
    unsubscribe?.()
    cancelQuiet()
    try {
      ended.close()
    } catch {
      // The reader has gone already.
    }
  }

  function write(text: string): void {
    // The key may have been revoked, or have expired, while its reader stayed.
    if (!viewer.isAllowed()) return end()
    try {
      sendTo?.enqueue(encoder.encode(text))
    } catch {
      end()
    }
  }

  function send(event: CampaignEvent): void {
    if (event.sequence > last) {
      last = event.sequence
      const data = JSON.stringify(viewCampaignEvent(event))
      write(`id: ${event.sequence}\nevent: ${event.type}\ndata: ${data}\n\n`)
    }
    if (event.type === 'campaign_ended' || (sendTo?.desiredSize ?? 0) < -waitingMax) end()
  }

  function keepOpen(): void {
    cancelQuiet = clock.after(quietMs, () => {
      write(': still here\n\n')
      if (sendTo !== undefined) keepOpen()
    })
  }

  const read = () => campaigns.rows.events(campaignId, last, pageEvents)

  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      sendTo = controller
      // The answer's head goes out with the first bytes, and there may be no event for long.
      write(': listening\n\n')
      try {
        for (let page = await read(); page.length > 0 && sendTo !== undefined; page = await read()) {
          for (const event of page) send(event)
        }
        for (const event of early ?? []) send(event)
        early = undefined
        // Its last event was read, or came meanwhile.
        if (!campaigns.isLive(campaignId)) end()
        else if (sendTo !== undefined) keepOpen()
      } catch (error) {
        log.error('eventsNotStreamed', error, { campaignId })
        end()
      }
    },
    cancel: end,
  })
  return new Response(stream, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  })
}
