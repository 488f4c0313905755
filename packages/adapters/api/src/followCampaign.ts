/** Follows a campaign's events to its end: goes on after each break behind the last event that came, and gives none twice. */
import { Value } from '@sinclair/typebox/value'
import { type CampaignEventView, campaignEventView } from './campaignShapes.ts'
import { type Client, UnexpectedAnswerError, UnreachableError } from './client.ts'
import { readEvents } from './events.ts'
import { orchestratorRoutes } from './orchestrator.ts'
import { ApiError } from './problem.ts'

export interface FollowCampaignOptions {
  /** The sequence of the last event that is known already. */
  readonly after?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Waits between two connections; a test gives its own. */
  readonly wait?: ((ms: number) => Promise<void>) | undefined
  readonly quietMsMax?: number | undefined
}

/** Breaks in a row without one new event that a follower puts up with. */
const emptyBreaksMax = 5
const pauseMs = 200
const quietMsMaxDefault = 60_000

function parseEvent(data: string): CampaignEventView {
  const event: unknown = JSON.parse(data)
  if (!Value.Check(campaignEventView, event)) throw new TypeError(`not an event: ${data.slice(0, 200)}`)
  return event
}

export async function* followCampaign(
  client: Client,
  campaignId: string,
  options: FollowCampaignOptions = {},
): AsyncGenerator<CampaignEventView> {
  const { signal, quietMsMax = quietMsMaxDefault } = options
  const wait = options.wait ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)))
  let after = options.after ?? 0
  let last: unknown
  for (let emptyBreaks = 0; emptyBreaks < emptyBreaksMax; ) {
    const before = after
    try {
      const given = { params: { campaignId }, headers: { 'last-event-id': String(after) } }
      const { body } = await client.open(orchestratorRoutes.campaignEvents, given, { signal })
      last = undefined
      for await (const data of body === null ? [] : readEvents(body, quietMsMax)) {
        const event = parseEvent(data)
        if (event.sequence <= after) continue
        after = event.sequence
        yield event
        if (event.type === 'campaign_ended') return
      }
    } catch (error) {
      const isFinal = error instanceof ApiError && error.problem.status !== 503
      if (isFinal || signal?.aborted === true) throw error
      // The line broke, or the server restarts: go on from the last event that came.
      last = error
    }
    emptyBreaks = after > before ? 0 : emptyBreaks + 1
    if (emptyBreaks < emptyBreaksMax) await wait(pauseMs * 2 ** emptyBreaks)
    signal?.throwIfAborted()
  }
  if (last instanceof UnreachableError || last instanceof UnexpectedAnswerError) throw last
  const detail = `the events of campaign ${campaignId} broke off ${emptyBreaksMax} times in a row`
  throw new ApiError('overloaded', detail, { cause: last })
}
