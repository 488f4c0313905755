/**
 * Campaigns as a requester has them: many tasks from one manifest. Results and events come over as many connections as it takes,
 * each once and in order.
 */
import {
  ApiError,
  type CampaignEventView,
  type CampaignPage,
  type CampaignView,
  type Client,
  encodeBase64,
  type FollowCampaignOptions,
  followCampaign,
  type ItemResultView,
  isItemResult,
  type ManifestJson,
  nextIndexHeader,
  orchestratorRoutes as routes,
  UnexpectedAnswerError,
  UnreachableError,
  type WebhookPage,
} from '@shardy/api'

export interface CreateCampaignOptions {
  /** 16 to 256 bytes; may be left out when the orchestrator has one under the manifest's `secretName`. */
  readonly webhookSecret?: Uint8Array | undefined
  /** Creating twice with one key is one campaign. A random one is made when none is given, so that tries are safe. */
  readonly idempotencyKey?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ResultsOptions {
  /** The first index that is wanted. */
  readonly from?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Campaigns {
  create(manifest: ManifestJson, options?: CreateCampaignOptions): Promise<CampaignView>
  get(campaignId: string): Promise<CampaignView>
  list(query?: { limit?: number; cursor?: string }): Promise<CampaignPage>
  pause(campaignId: string): Promise<CampaignView>
  resume(campaignId: string): Promise<CampaignView>
  cancel(campaignId: string): Promise<CampaignView>
  /** In order of index, up to the first item that has no result yet; another call goes on from there. */
  results(campaignId: string, options?: ResultsOptions): AsyncGenerator<ItemResultView>
  /** What happened and what happens, to its end. */
  watch(campaignId: string, options?: FollowCampaignOptions): AsyncGenerator<CampaignEventView>
  webhooks(campaignId: string): Promise<WebhookPage>
  forgetSecret(secretName: string): Promise<void>
}

/** One result as a line has a few hundred characters. */
const lineLengthMax = 4_096
/** Breaks in a row without one new result. */
const emptyBreaksMax = 5
const pauseMs = 200

export interface CampaignsConfig {
  readonly url: string
  readonly wait: (ms: number) => Promise<void>
  readonly randomKey: () => string
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    const parts = (text + decoder.decode(chunk, { stream: true })).split('\n')
    text = parts.pop() ?? ''
    if (text.length > lineLengthMax) throw new TypeError(`a result has more than ${lineLengthMax} characters`)
    yield* parts
  }
}

export function createCampaigns(client: Client, { url, wait, randomKey }: CampaignsConfig): Campaigns {
  const say =
    (route: typeof routes.pauseCampaign | typeof routes.resumeCampaign | typeof routes.cancelCampaign) =>
    (campaignId: string): Promise<CampaignView> =>
      client.call(route, { params: { campaignId } })

  function parse(line: string, index: number): ItemResultView {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      value = undefined
    }
    if (isItemResult(value) && value.index === index) return value
    throw new UnexpectedAnswerError(
      routes.campaignResults,
      url,
      200,
      `not the result of item ${index}: ${line.slice(0, 200)}`,
    )
  }

  return {
    create(manifest, { webhookSecret, idempotencyKey = randomKey(), signal } = {}) {
      const secret = webhookSecret && { webhookSecret: encodeBase64(webhookSecret) }
      const headers = { 'idempotency-key': idempotencyKey }
      return client.call(routes.createCampaign, { body: { manifest, ...secret }, headers }, { signal })
    },
    get: (campaignId) => client.call(routes.getCampaign, { params: { campaignId } }),
    list: ({ limit, cursor } = {}) =>
      client.call(routes.listCampaigns, {
        query: {
          ...(limit !== undefined && { limit: String(limit) }),
          ...(cursor !== undefined && { cursor }),
        },
      }),
    pause: say(routes.pauseCampaign),
    resume: say(routes.resumeCampaign),
    cancel: say(routes.cancelCampaign),
    async *results(campaignId, { from = 0, signal } = {}) {
      let next = from
      for (let emptyBreaks = 0; ; ) {
        const before = next
        let cause: unknown
        try {
          const given = { params: { campaignId }, query: { from: String(next) } }
          const { body, headers } = await client.open(routes.campaignResults, given, { signal })
          const end = Number(headers.get(nextIndexHeader) ?? 'x')
          if (!Number.isSafeInteger(end)) {
            throw new UnexpectedAnswerError(routes.campaignResults, url, 200, `without ${nextIndexHeader}`)
          }
          for await (const line of body === null ? [] : linesOf(body)) {
            const result = parse(line, next)
            next++
            yield result
          }
          if (next >= end) return
        } catch (error) {
          if (error instanceof ApiError || error instanceof UnexpectedAnswerError || signal?.aborted === true)
            throw error
          // The line broke: go on behind the last result that came whole.
          cause = error
        }
        emptyBreaks = next > before ? 0 : emptyBreaks + 1
        if (emptyBreaks >= emptyBreaksMax) throw new UnreachableError(url, cause)
        await wait(pauseMs * 2 ** emptyBreaks)
      }
    },
    watch: (campaignId, options = {}) => followCampaign(client, campaignId, { wait, ...options }),
    webhooks: (campaignId) => client.call(routes.campaignWebhooks, { params: { campaignId } }),
    async forgetSecret(secretName) {
      await client.call(routes.forgetWebhookSecret, { params: { secretName } })
    },
  }
}
