/** The queue of webhooks: at least once, through restarts, without one receiver holding up another. */
import { describe, expect, test } from 'bun:test'
import {
  type CampaignEvent,
  type CampaignId,
  newWebhook,
  strictUrlPolicy,
  verifyWebhook,
  type WebhookOutcome,
  webhookRecord,
} from '@shardy/campaign'
import { sha256 } from '@shardy/crypto/native'
import type { RequesterId, TimeMs } from '@shardy/protocol'
import type { Store } from '@shardy/storage'
import { manifestOf, turn } from '../../../test/campaignWorld.ts'
import { createManualClock } from '../../../test/manualClock.ts'
import { openMemoryStore } from '../../../test/network.ts'
import { silentLog } from '../../log.ts'
import type { Table } from '../../tables.ts'
import { eventKey } from '../rows.ts'
import type { Exchange } from './exchange.ts'
import { createWebhookSecrets } from './secrets.ts'
import { createWebhookSender, type SenderParts } from './sender.ts'

const idOf = (number: number) => number.toString(16).padStart(32, '0') as CampaignId
const secret = new Uint8Array(32).fill(7)

function eventOf(campaign: number, sequence = 1): CampaignEvent {
  const counts = { total: 1, open: 0, verified: 1, accepted: 0, dead: 0, refused: 0, cancelled: 0 }
  return {
    campaignId: idOf(campaign),
    sequence,
    atMs: 1_000_000 as TimeMs,
    type: 'campaign_ended',
    status: 'ended',
    reason: 'completed',
    spentMicroCredit: 1n as never,
    ...counts,
  }
}

const taken: WebhookOutcome = { kind: 'answered', status: 200, retryAfterMs: undefined }
const broken: WebhookOutcome = { kind: 'answered', status: 500, retryAfterMs: undefined }

/** Campaign n belongs to requester n % requesters, and goes to host n % hosts. */
async function open(
  more: Partial<SenderParts> = {},
  { hosts = 100, requesters = 100, store = undefined as Store<Table> | undefined } = {},
) {
  const disk = store ?? (await openMemoryStore())
  const clock = createManualClock()
  const secrets = createWebhookSecrets(disk, sha256)
  const requesterOf = (id: string) =>
    ((Number.parseInt(id, 16) % requesters) + 1).toString(16).padStart(64, '0') as RequesterId
  const sent: Exchange[] = []
  const sender = createWebhookSender({
    store: disk,
    rows: {
      async campaign(id) {
        const url = `https://h${Number.parseInt(id, 16) % hosts}.example.org/hook`
        const manifest = manifestOf({ webhook: { url, events: ['campaign_ended'], secretName: 's' } })
        return { manifest, record: { requesterId: requesterOf(id) } } as never
      },
      event: async (id, sequence) => eventOf(Number.parseInt(id, 16), sequence),
    },
    secrets,
    clock,
    log: silentLog,
    sha256,
    resolve: async () => ['1.1.1.1'],
    urlPolicy: strictUrlPolicy,
    send: async (request) => {
      sent.push(request)
      return taken
    },
    ...more,
  })
  async function add(campaign: number, sequence = 1): Promise<void> {
    const event = eventOf(campaign, sequence)
    const offered = await secrets.offer(requesterOf(event.campaignId), 's', secret)
    if (offered.ok) await disk.write(offered.operations, { sync: true })
    const value = webhookRecord.encode(newWebhook(event))
    await disk.write([{ kind: 'put', table: 'webhooks', key: eventKey(event.campaignId, sequence), value }], {
      sync: true,
    })
    sender.add(event)
  }
  async function settle(): Promise<void> {
    for (let rounds = 0; rounds < 30; rounds++) await turn()
  }
  return { disk, clock, sender, sent, add, settle, secrets }
}

describe('an event', () => {
  test('is sent, signed so that its receiver can tell, and kept as delivered', async () => {
    const { sender, sent, add, settle, clock } = await open()
    await add(1)
    await settle()
    const [request] = sent
    expect(request).toMatchObject({ address: '1.1.1.1', url: { host: 'h1.example.org' } })
    const headers = request?.headers ?? {}
    const received = {
      eventId: headers['shardy-event-id'] ?? '',
      timeMs: headers['shardy-time-ms'] ?? '',
      signature: headers['shardy-signature'] ?? '',
      body: request?.body ?? '',
    }
    expect(verifyWebhook(received, secret, clock.nowMs(), sha256)).toBeUndefined()
    expect(await sender.list(idOf(1), 10)).toMatchObject([
      { status: 'delivered', attempts: 1, last: 'HTTP 200' },
    ])
    expect(sender.waiting()).toBe(0)
  })

  test('is tried again, ever later, with the same body, until it is given up', async () => {
    const bodies: string[] = []
    const { sender, add, settle, clock } = await open({
      async send({ body }) {
        bodies.push(body)
        return broken
      },
    })
    await add(1)
    for (let hours = 0; hours < 200 && sender.waiting() > 0; hours++) {
      await settle()
      clock.advance(120_000)
    }
    expect(bodies).toHaveLength(16)
    expect(new Set(bodies).size).toBe(1)
    expect(await sender.list(idOf(1), 10)).toMatchObject([{ status: 'dead', attempts: 16, last: 'HTTP 500' }])
  })

  test('survives a restart, and is sent by the next process', async () => {
    const first = await open({ send: async () => broken })
    await first.add(1)
    await first.settle()
    await first.sender.close()
    const next = await open({}, { store: first.disk })
    next.clock.advance(60_000)
    await next.sender.start()
    await next.settle()
    expect(next.sent).toHaveLength(1)
    expect(await next.sender.list(idOf(1), 10)).toMatchObject([{ status: 'delivered', attempts: 2 }])
  })

  test('goes nowhere when its name resolves to a private address by now', async () => {
    let addresses = ['10.0.0.1']
    const { sender, sent, add, settle, clock } = await open({ resolve: async () => addresses })
    await add(1)
    await settle()
    expect(sent).toEqual([])
    expect(await sender.list(idOf(1), 10)).toMatchObject([{ status: 'pending', last: 'address' }])
    addresses = ['8.8.8.8']
    clock.advance(10_000)
    await settle()
    expect(sent.map(({ address }) => address)).toEqual(['8.8.8.8'])
  })

  test('without its secret is not sent unsigned', async () => {
    let attempts = 0
    const send = async () => {
      attempts++
      return broken
    }
    const { sender, add, settle, secrets, clock } = await open({ send })
    await add(1)
    await settle()
    await secrets.forget('2'.padStart(64, '0') as RequesterId, 's')
    clock.advance(10_000)
    await settle()
    expect(attempts).toBe(1)
    expect(await sender.list(idOf(1), 10)).toMatchObject([{ attempts: 2, last: 'secretMissing' }])
  })

  test('waits while nothing is sent at all', async () => {
    const { sender, sent, add, settle } = await open({ urlPolicy: undefined })
    await add(1)
    await settle()
    expect([sent.length, sender.waiting()]).toEqual([0, 1])
  })
})

/** Holds every request until it is let go. */
function gated() {
  const held: { readonly request: Exchange; readonly answer: () => void }[] = []
  const send = (request: Exchange) =>
    new Promise<WebhookOutcome>((resolve) => held.push({ request, answer: () => resolve(taken) }))
  return { held, send }
}

describe('many events', () => {
  test('to one host go one at a time, and not too fast', async () => {
    const { held, send } = gated()
    const { add, settle, clock } = await open({ send }, { hosts: 1 })
    for (const campaign of [1, 2, 3]) await add(campaign)
    await settle()
    expect(held).toHaveLength(1)
    held[0]?.answer()
    await settle()
    expect(held).toHaveLength(1)
    clock.advance(100)
    await settle()
    expect(held).toHaveLength(2)
  })

  test('of one requester do not take all places, however slow its receivers are', async () => {
    const { held, send } = gated()
    const { add, settle } = await open({ send }, { requesters: 2 })
    for (let campaign = 2; campaign <= 40; campaign += 2) await add(campaign)
    await add(1)
    await settle()
    const hosts = held.map(({ request }) => request.url.host)
    expect(hosts).toHaveLength(5)
    expect(hosts).toContain('h1.example.org')
  })

  test('are all sent in the end', async () => {
    const { sender, sent, add, settle, clock } = await open({}, { hosts: 3, requesters: 2 })
    for (let campaign = 1; campaign <= 20; campaign++)
      for (const sequence of [1, 2]) await add(campaign, sequence)
    for (let rounds = 0; rounds < 100 && sender.waiting() > 0; rounds++) {
      await settle()
      clock.advance(100)
    }
    expect(sent).toHaveLength(40)
    expect(new Set(sent.map(({ body }) => body)).size).toBe(40)
  })
})

describe('secrets', () => {
  test('are kept by requester and name, and no other takes their place', async () => {
    const store = await openMemoryStore()
    const secrets = createWebhookSecrets(store, sha256)
    const [a, b] = ['a', 'b'].map((letter) => letter.repeat(64) as RequesterId) as [RequesterId, RequesterId]
    const put = async (who: RequesterId, name: string, bytes: Uint8Array | undefined) => {
      const offered = await secrets.offer(who, name, bytes)
      if (!offered.ok) return offered.refusal
      await store.write(offered.operations, { sync: true })
      return offered.operations.length
    }
    expect(await put(a, 's', undefined)).toBe('missing')
    expect(await put(a, 's', secret)).toBe(1)
    expect(await put(a, 's', secret)).toBe(0)
    expect(await put(a, 's', undefined)).toBe(0)
    expect(await put(a, 's', secret.toReversed().fill(1))).toBe('conflict')
    expect(await put(b, 's', undefined)).toBe('missing')
    for (let number = 1; number < 100; number++) await put(a, `${number}`, secret)
    expect(await put(a, 'one more', secret)).toBe('tooMany')
    expect(await secrets.forget(a, 's')).toBe(true)
    expect(await secrets.get(a, 's')).toBeUndefined()
  })
})
