/**
 * Sends what is queued, at least once (spec K11, K12). A record is in the store from the batch of its event until somebody took
 * it or it was given up, so a restart sends on; one host gets one request at a time and not too many of them, and neither a slow
 * host nor one requester's many hosts hold up the others.
 */
import {
  afterAttempt,
  type CampaignEvent,
  type CampaignId,
  defaultWebhookPolicy,
  newWebhook,
  signWebhook,
  type WebhookOutcome,
  type WebhookPolicy,
  type WebhookRecord,
  type WebhookUrlPolicy,
  webhookRecord,
} from '@shardy/campaign'
import type { RequesterId, Sha256, TimeMs } from '@shardy/protocol'
import { prefixRange, type Store } from '@shardy/storage'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import { idKey, type Table } from '../../tables.ts'
import { decodeRecord } from '../../tasks/archive.ts'
import { type CampaignRows, eventKey } from '../rows.ts'
import { destinationOf, type Resolve } from './destination.ts'
import { type Exchange, exchange } from './exchange.ts'
import type { WebhookSecrets } from './secrets.ts'

export interface WebhookSender {
  /** Queued durably. */
  add(event: CampaignEvent): void
  start(): Promise<void>
  /** Waiting ones first, then those that ended, oldest first. */
  list(campaignId: CampaignId, limit: number): Promise<readonly WebhookRecord[]>
  waiting(): number
  close(): Promise<void>
}

export interface SenderParts {
  readonly store: Store<Table>
  readonly rows: Pick<CampaignRows, 'campaign' | 'event'>
  readonly secrets: WebhookSecrets
  readonly clock: Clock
  readonly log: Log
  readonly sha256: Sha256
  readonly resolve: Resolve
  /** None: nothing is sent, and what is queued waits. */
  readonly urlPolicy: WebhookUrlPolicy | undefined
  readonly policy?: WebhookPolicy
  readonly pace?: SenderPace
  readonly authorities?: string | undefined
  readonly send?: (request: Exchange, nowMs: () => number) => Promise<WebhookOutcome>
}

export interface SenderPace {
  readonly atOnceMax: number
  readonly perRequesterMax: number
  /** Between the beginnings of two requests to one host. */
  readonly hostPauseMs: number
}

export const defaultPace: SenderPace = { atOnceMax: 32, perRequesterMax: 4, hostPauseMs: 100 }

/** Hosts whose last request is remembered. */
const hostsMax = 10_000

interface Target {
  readonly requesterId: RequesterId
  readonly url: string
  readonly secretName: string
  readonly host: string
}

export function createWebhookSender(parts: SenderParts): WebhookSender {
  const { store, rows, secrets, clock, log, sha256, urlPolicy } = parts
  const { policy = defaultWebhookPolicy, pace = defaultPace, send = exchange } = parts
  /** By campaign, in order of sequence. */
  const pending = new Map<CampaignId, Map<number, WebhookRecord>>()
  const targets = new Map<CampaignId, Target | undefined>()
  const underway = new Map<CampaignId, Promise<void>>()
  const busyHosts = new Set<string>()
  const hostFreeAtMs = new Map<string, number>()
  const perRequester = new Map<RequesterId, number>()
  let looking: Promise<void> | undefined
  let lookAgain = false
  let cancelTimer: (() => void) | undefined
  let closed = false

  function put(record: WebhookRecord): void {
    const those = pending.get(record.campaignId) ?? new Map<number, WebhookRecord>()
    pending.set(record.campaignId, those.set(record.sequence, record))
  }

  async function targetOf(campaignId: CampaignId): Promise<Target | undefined> {
    if (targets.has(campaignId)) return targets.get(campaignId)
    const found = await rows.campaign(campaignId)
    const webhook = found?.manifest.webhook
    const target = found &&
      webhook && {
        requesterId: found.record.requesterId,
        url: webhook.url,
        secretName: webhook.secretName,
        host: new URL(webhook.url).host,
      }
    targets.set(campaignId, target)
    return target
  }

  /** Of one campaign one at a time, the one that is due longest. */
  function dueOf(campaignId: CampaignId): WebhookRecord | undefined {
    let due: WebhookRecord | undefined
    for (const record of pending.get(campaignId)?.values() ?? []) {
      if (due === undefined || record.notBeforeMs < due.notBeforeMs) due = record
    }
    return due
  }

  function wake(): void {
    if (closed || urlPolicy === undefined) return
    lookAgain = true
    looking ??= look().finally(() => {
      looking = undefined
    })
  }

  /** Begins all that may begin now, and sets the clock for what comes next. */
  async function look(): Promise<void> {
    while (lookAgain && !closed) {
      lookAgain = false
      cancelTimer?.()
      cancelTimer = undefined
      let nextMs = Number.POSITIVE_INFINITY
      for (const campaignId of [...pending.keys()]) {
        if (underway.size >= pace.atOnceMax) break
        const record = dueOf(campaignId)
        if (record === undefined || underway.has(campaignId)) continue
        const target = await targetOf(campaignId).catch(() => undefined)
        if (target === undefined || closed) continue
        const { host, requesterId } = target
        // Whoever is busy wakes us when it is done.
        if (busyHosts.has(host) || (perRequester.get(requesterId) ?? 0) >= pace.perRequesterMax) continue
        const dueMs = Math.max(record.notBeforeMs, hostFreeAtMs.get(host) ?? 0)
        if (dueMs <= clock.nowMs()) begin(record, target)
        else nextMs = Math.min(nextMs, dueMs)
      }
      if (nextMs !== Number.POSITIVE_INFINITY && !closed)
        cancelTimer = clock.after(nextMs - clock.nowMs(), wake)
    }
  }

  function begin(record: WebhookRecord, target: Target): void {
    const { host, requesterId } = target
    const { campaignId } = record
    busyHosts.add(host)
    if (hostFreeAtMs.size >= hostsMax) hostFreeAtMs.clear()
    hostFreeAtMs.set(host, clock.nowMs() + pace.hostPauseMs)
    perRequester.set(requesterId, (perRequester.get(requesterId) ?? 0) + 1)
    const attempt = tryOnce(record, target)
      // Our own store failed: it stays queued, and is sent again after the restart.
      .catch((error: unknown) => log.error('webhookNotKept', error, { campaignId }))
      .finally(() => {
        underway.delete(campaignId)
        busyHosts.delete(host)
        const left = (perRequester.get(requesterId) ?? 1) - 1
        if (left > 0) perRequester.set(requesterId, left)
        else perRequester.delete(requesterId)
        wake()
      })
    underway.set(campaignId, attempt)
  }

  async function tryOnce(record: WebhookRecord, target: Target): Promise<void> {
    const { campaignId, sequence } = record
    const outcome = await attempt(record, target).catch((error: unknown): WebhookOutcome => {
      log.error('webhookFailed', error, { campaignId })
      return { kind: 'failed', code: 'internal' }
    })
    const now = afterAttempt(record, outcome, clock.nowMs(), policy)
    const key = eventKey(campaignId, sequence)
    const value = webhookRecord.encode(now)
    const isPending = now.status === 'pending'
    if (isPending) put(now)
    else {
      const those = pending.get(campaignId)
      those?.delete(sequence)
      if (those?.size === 0) {
        pending.delete(campaignId)
        targets.delete(campaignId)
      }
    }
    log.debug('webhookTried', { campaignId, sequence, status: now.status, last: now.last })
    await store.write(
      isPending
        ? [{ kind: 'put', table: 'webhooks', key, value }]
        : [
            { kind: 'delete', table: 'webhooks', key },
            { kind: 'put', table: 'webhooksEnded', key, value },
          ],
      // Lost with the power it is sent once more, which receivers have to expect anyway.
      { sync: false },
    )
  }

  async function attempt(
    { campaignId, sequence, attempts }: WebhookRecord,
    { requesterId, url, secretName }: Target,
  ): Promise<WebhookOutcome> {
    const [event, secret] = await Promise.all([
      rows.event(campaignId, sequence),
      secrets.get(requesterId, secretName),
    ])
    if (event === undefined) throw new Error(`event ${sequence} of campaign ${campaignId} is not there`)
    if (secret === undefined) return { kind: 'failed', code: 'secretMissing' }
    if (urlPolicy === undefined) return { kind: 'failed', code: 'off' }
    const found = await destinationOf(url, urlPolicy, parts.resolve)
    if (!found.ok) return { kind: 'failed', code: found.refusal.kind }
    const address = found.addresses[attempts % found.addresses.length] ?? ''
    const { headers, body } = signWebhook(secret, event, clock.nowMs() as TimeMs, sha256)
    const { authorities } = parts
    return send({ url: found.url, address, headers, body, authorities }, () => clock.nowMs())
  }

  return {
    add(event) {
      put(newWebhook(event))
      wake()
    },
    async start() {
      for await (const { value } of store.iterate('webhooks')) put(decodeRecord(webhookRecord, value))
      wake()
    },
    async list(campaignId, limit) {
      const listed: WebhookRecord[] = []
      for (const table of ['webhooks', 'webhooksEnded'] as const) {
        const range = { ...prefixRange(idKey(campaignId)), limit: limit - listed.length }
        for await (const { value } of store.iterate(table, range))
          listed.push(decodeRecord(webhookRecord, value))
      }
      return listed
    },
    waiting: () => [...pending.values()].reduce((sum, each) => sum + each.size, 0),
    async close() {
      closed = true
      cancelTimer?.()
      await looking
      await Promise.all(underway.values())
    },
  }
}
