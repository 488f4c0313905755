/** Campaigns over HTTP: begin, look, pause, resume, cancel, results, events. The rules are docs/spec/campaign.md. */
import {
  ApiError,
  type CampaignEventView,
  type CampaignOrderJson,
  type CampaignPage,
  type CampaignView,
  decodeBase64,
  type ItemResultView,
  itemStatuses,
  nextIndexHeader,
  resultRowBytes,
  type WebhookPage,
} from '@shardy/api'
import {
  type CampaignEvent,
  type CampaignId,
  hasOutput,
  type ItemResult,
  itemTaskId,
  type ManifestRefusal,
  progressOf,
  readManifest,
  secretBytesMax,
  secretBytesMin,
  segmentItems,
  segmentOf,
  settledOf,
} from '@shardy/campaign'
import { decodeHex, encodeHex, type RequesterId, type Sha256, type TaskId } from '@shardy/protocol'
import { admitCampaign } from '../campaigns/admission.ts'
import type { FoundCampaign } from '../campaigns/campaigns.ts'
import { verifyForm } from '../campaigns/work.ts'
import type { Services } from '../orchestrator.ts'

function manifestProblem({ kind, field: name, value, bound }: ManifestRefusal): ApiError {
  const field = name === 'manifest' ? name : `manifest.${name}`
  const reason =
    kind === 'unknownField'
      ? `is not a field of a manifest; it is ${value}`
      : `must be ${bound}; it is ${value}`
  return new ApiError('invalidField', { detail: `${field} ${reason}`, field, value, bound })
}

function secretOf({ webhookSecret }: CampaignOrderJson): Uint8Array | undefined {
  if (webhookSecret === undefined) return undefined
  const bytes = decodeBase64(webhookSecret)
  if (bytes !== undefined && bytes.length >= secretBytesMin && bytes.length <= secretBytesMax) return bytes
  const bound = `${secretBytesMin} to ${secretBytesMax} bytes in base64`
  // Not with what it holds.
  throw new ApiError('invalidField', {
    detail: `webhookSecret must be ${bound}`,
    field: 'webhookSecret',
    bound,
  })
}

export interface Created {
  readonly campaign: CampaignView
  readonly isNew: boolean
}

export async function createCampaign(
  services: Services,
  order: CampaignOrderJson,
  idempotencyKey: string | undefined,
  requesterId: RequesterId,
): Promise<Created> {
  const { campaigns, sha256, clock } = services
  const read = readManifest(order.manifest, verifyForm)
  if (!read.ok) throw manifestProblem(read.refusal)
  const secret = secretOf(order)
  const { campaign, isNew } = await campaigns.create({
    requesterId,
    manifest: read.value,
    idempotencyKey: idempotencyKey ?? services.randomHex(32),
    secretDigest: secret === undefined ? '' : encodeHex(sha256(secret)),
    admit: (work) => admitCampaign(services, work, secret),
  })
  return { campaign: viewCampaign(campaign, clock.nowMs()), isNew }
}

/** Somebody else's campaign is as unknown as one that never was. */
export async function ownCampaign(
  services: Services,
  campaignId: string,
  requesterId: RequesterId,
): Promise<FoundCampaign> {
  const found = await services.campaigns.find(campaignId as CampaignId)
  if (found !== undefined && found.state.record.requesterId === requesterId) return found
  throw new ApiError('unknownCampaign', {
    detail: `there is no campaign ${campaignId}`,
    field: 'campaignId',
    value: campaignId,
  })
}

export function viewCampaign(
  { manifest, programId, state, running }: FoundCampaign,
  nowMs: number,
): CampaignView {
  const { record } = state
  const { heldUpBy, reason, ...progress } = progressOf(state, nowMs as never)
  const perSecond = running?.pace.perSecond()
  const left = progress.total - settledOf(record)
  const hasEta = perSecond !== undefined && perSecond > 0 && progress.status === 'running'
  return {
    campaignId: record.campaignId,
    name: manifest.name,
    kind: manifest.work.kind,
    programId,
    ...progress,
    ...(reason && { reason }),
    window: manifest.window,
    rewardMicroCredit: String(manifest.rewardMicroCredit),
    budgetMicroCredit: String(progress.budgetMicroCredit),
    spentMicroCredit: String(progress.spentMicroCredit),
    reservedMicroCredit: String(progress.reservedMicroCredit),
    ...(heldUpBy && { heldUpBy: { kind: heldUpBy.kind, detail: describeHold(heldUpBy, nowMs) } }),
    ...(perSecond !== undefined && { itemsPerSecond: Math.round(perSecond * 1000) / 1000 }),
    ...(hasEta && { etaMs: Math.min(Math.ceil((left / perSecond) * 1000), Number.MAX_SAFE_INTEGER) }),
    createdAtMs: record.createdAtMs,
    deadlineMs: manifest.deadlineMs,
    ...(record.endedAtMs !== undefined && { endedAtMs: record.endedAtMs }),
  }
}

type Hold = NonNullable<ReturnType<typeof progressOf>['heldUpBy']>

function describeHold(hold: Hold, nowMs: number): string {
  switch (hold.kind) {
    case 'window':
      return `${hold.window} items are open, as many as the window holds; the next begins when one of them ends`
    case 'budget':
      return `what is left, ${hold.leftMicroCredit}, does not pay for one more item beside those that are open`
    case 'overload':
      return `nothing is taken at the moment; it is tried again in ${Math.max(0, hold.untilMs - nowMs)} ms`
    case 'lastItems':
      return 'every item was begun; the last are computed'
  }
}

export async function listCampaigns(
  { campaigns, clock }: Services,
  requesterId: RequesterId,
  { limit = '50', cursor }: { readonly limit?: string; readonly cursor?: string },
): Promise<CampaignPage> {
  const page = await campaigns.list(requesterId, Number(limit), cursor)
  // What is live is more than what was saved last: its open items are known.
  const found = await Promise.all(page.campaigns.map(({ record }) => campaigns.find(record.campaignId)))
  return {
    campaigns: found.flatMap((each) => (each === undefined ? [] : [viewCampaign(each, clock.nowMs())])),
    ...(page.nextCursor && { nextCursor: page.nextCursor }),
  }
}

/** Each word is an event for good, and events are kept. */
const eventsMax = 10_000

export async function commandCampaign(
  services: Services,
  found: FoundCampaign,
  kind: 'pause' | 'resume' | 'cancel',
): Promise<CampaignView> {
  const { campaigns, clock } = services
  const { campaignId, events, status } = found.state.record
  const ended = (now: string): ApiError =>
    new ApiError('campaignEnded', `campaign ${campaignId} is ${now}; it can no longer be ${done[kind]}`)
  if (found.running === undefined || status === 'ended') throw ended(status)
  if (status === 'stopping' && kind !== 'cancel') throw ended(status)
  if (kind !== 'cancel' && events >= eventsMax) {
    const bound = `${eventsMax} events`
    throw new ApiError('campaignWorn', {
      detail: `campaign ${campaignId} has ${bound}; it can only be cancelled`,
      bound,
    })
  }
  try {
    const running = await campaigns.command(campaignId, kind)
    if (running === undefined) throw ended('ended')
    return viewCampaign({ ...found, state: running.state }, clock.nowMs())
  } catch (cause) {
    if (cause instanceof ApiError) throw cause
    throw new ApiError(
      'storageFailed',
      'it may or may not have been taken; the orchestrator is restarting, ask again',
      { cause },
    )
  }
}

const done = { pause: 'paused', resume: 'resumed', cancel: 'cancelled' } as const

/** Behind the last item that has a result without a gap before it. Open items are few, results are not. */
function frontierOf({ state: { open, record } }: FoundCampaign): number {
  let first = record.next
  for (const index of open.keys()) if (index < first) first = index
  return first
}

function taskIdOf(
  campaignId: CampaignId,
  { index, attempts, status }: ItemResult,
  sha256: Sha256,
): TaskId | undefined {
  // Of one that was refused the last attempt never became a task.
  if (attempts === 0 || status === 'refused') return undefined
  return itemTaskId(campaignId, index, attempts, sha256)
}

function lineOf(campaignId: CampaignId, result: ItemResult, sha256: Sha256): string {
  const { index, status, attempts, outputDigest, costMicroCredit, code } = result
  const taskId = taskIdOf(campaignId, result, sha256)
  const view: ItemResultView = {
    index,
    status,
    attempts,
    ...(taskId && { taskId }),
    ...(outputDigest && { outputDigest }),
    costMicroCredit: String(costMicroCredit),
    ...(code !== '' && { code }),
  }
  return `${JSON.stringify(view)}\n`
}

function writeRow(row: Uint8Array, campaignId: CampaignId, result: ItemResult, sha256: Sha256): void {
  new DataView(row.buffer, row.byteOffset).setUint32(0, result.index, true)
  row[4] = itemStatuses.indexOf(result.status)
  row[5] = result.attempts
  row.set(decodeHex(taskIdOf(campaignId, result, sha256) ?? '') ?? [], 8)
  if (hasOutput(result.status)) row.set(decodeHex(result.outputDigest ?? '') ?? [], 24)
}

export type ResultsFormat = 'ndjson' | 'binary'

function encodeResults(
  campaignId: CampaignId,
  results: readonly ItemResult[],
  format: ResultsFormat,
  sha256: Sha256,
): Uint8Array {
  if (format === 'ndjson') {
    return new TextEncoder().encode(results.map((each) => lineOf(campaignId, each, sha256)).join(''))
  }
  const bytes = new Uint8Array(results.length * resultRowBytes)
  for (const [place, result] of results.entries()) {
    writeRow(bytes.subarray(place * resultRowBytes, (place + 1) * resultRowBytes), campaignId, result, sha256)
  }
  return bytes
}

const contentTypes = { ndjson: 'application/x-ndjson', binary: 'application/octet-stream' } as const

/** A segment at a time, as fast as somebody reads. */
export function streamResults(
  services: Services,
  found: FoundCampaign,
  from: number,
  format: ResultsFormat,
  onBytes: (bytes: number) => void,
): Response {
  const { campaigns, sha256, log } = services
  const { campaignId } = found.state.record
  const { total } = found.state.plan
  if (from > total) {
    const bound = `0 to ${total}`
    const detail = `query.from is ${from}; it must be ${bound}`
    throw new ApiError('invalidField', { detail, field: 'query.from', value: String(from), bound })
  }
  const end = Math.max(from, frontierOf(found))
  let next = from

  async function piece(): Promise<Uint8Array> {
    const to = Math.min((segmentOf(next) + 1) * segmentItems, end)
    const all = await campaigns.rows.results(campaignId, segmentOf(next))
    const results = all.filter(({ index }) => index >= next && index < to)
    if (results.length !== to - next)
      throw new Error(`campaign ${campaignId} has no result of an item from ${next} to ${to}`)
    next = to
    return encodeResults(campaignId, results, format, sha256)
  }

  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (next >= end) return controller.close()
      try {
        const bytes = await piece()
        onBytes(bytes.length)
        controller.enqueue(bytes)
      } catch (error) {
        log.error('resultsNotStreamed', error, { campaignId })
        controller.error(error)
      }
    },
  })
  return new Response(stream, {
    headers: {
      'content-type': contentTypes[format],
      'cache-control': 'no-store',
      [nextIndexHeader]: String(end),
    },
  })
}

export function viewCampaignEvent({
  campaignId: _,
  reason,
  spentMicroCredit,
  ...event
}: CampaignEvent): CampaignEventView {
  return { ...event, spentMicroCredit: String(spentMicroCredit), ...(reason && { reason }) }
}

export async function viewWebhooks({ webhooks }: Services, found: FoundCampaign): Promise<WebhookPage> {
  const listed = await webhooks.list(found.state.record.campaignId, 1_000)
  return {
    webhooks: listed.map(({ sequence, status, attempts, notBeforeMs, last }) => ({
      sequence,
      status,
      attempts,
      ...(status === 'pending' && { notBeforeMs }),
      ...(last !== '' && { last }),
    })),
  }
}

export async function forgetSecret(
  services: Services,
  name: string,
  requesterId: RequesterId,
): Promise<void> {
  if (await services.webhookSecrets.forget(requesterId, name)) return
  const detail = 'there is no secret of that name'
  throw new ApiError('unknownSecret', { detail, field: 'secretName', value: name })
}
