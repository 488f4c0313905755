/** Campaigns as they are met over HTTP, with real workers. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import path from 'node:path'
import {
  type CampaignEventView,
  type CampaignPage,
  type CampaignView,
  type ItemResultView,
  itemStatuses,
  type NewKey,
  readEvents,
  resultRowBytes,
  type WebhookPage,
} from '@shardy/api'
import { verifyWebhook, webhookHeaders } from '@shardy/campaign'
import { sha256 } from '@shardy/crypto/native'
import { computeLite } from '@shardy/lite'
import fc from 'fast-check'
import { manifestJson } from '../../test/campaignWorld.ts'
import { digestOf, problemOf, randomBytes, refused } from '../../test/example.ts'
import { openMemoryStore, startTestNetwork, type TestNetwork } from '../../test/network.ts'

const hourMs = 3_600_000
let network: TestNetwork
beforeAll(async () => {
  network = await startTestNetwork()
  await Promise.all([network.startWorker(), network.startWorker()])
})
afterAll(() => network.stop())

const manifest = (changes = {}) => manifestJson({ deadlineMs: Date.now() + hourMs, ...changes })
const post = (changes = {}, more = {}) =>
  network.request('/v1/campaigns', { json: { manifest: manifest(changes), ...more } })
const json = async <T>(answer: Response | Promise<Response>): Promise<T> => {
  const response = await answer
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as T
}
const create = (changes = {}) => json<CampaignView>(post(changes))
const view = (id: string, on = network) => json<CampaignView>(on.request(`/v1/campaigns/${id}`))

async function toEnd(id: string, on = network): Promise<CampaignEventView[]> {
  const { body } = await on.request(`/v1/campaigns/${id}/events`)
  const events: CampaignEventView[] = []
  if (body === null) return events
  for await (const data of readEvents(body)) events.push(JSON.parse(data) as CampaignEventView)
  return events
}

async function lines(id: string, from = 0, on = network): Promise<ItemResultView[]> {
  const text = await (await on.request(`/v1/campaigns/${id}/results?from=${from}`)).text()
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ItemResultView)
}

/** What item i of a range gets, and what comes of it. */
function outputOf(index: number): string {
  const input = new Uint8Array(8)
  new DataView(input.buffer).setBigUint64(0, BigInt(index), true)
  return digestOf(computeLite({ kind: 'superLite', rounds: 3, inputLength: 8 }, input))
}

describe('a campaign of some hundreds of items', () => {
  const count = 300
  let id: string
  beforeAll(async () => {
    const made = await create({ inputs: { range: { to: count } }, window: 64 })
    id = made.campaignId
    expect(made).toMatchObject({ status: 'running', total: count, window: 64, heldUpBy: { kind: 'window' } })
    await toEnd(id)
  })

  test('is computed by workers, paid, and ends', async () => {
    const ended = await view(id)
    expect(ended).toMatchObject({
      status: 'ended',
      reason: 'completed',
      verified: count,
      open: 0,
      remaining: 0,
    })
    const { book } = network.orchestrator.services.bookkeeper
    const { requesterId } = network.orchestrator.services.apiKeys.find(network.apiKey) ?? {}
    if (requesterId === undefined) throw new Error('no key')
    // Every verdict is in the book once it is durable, which the campaign waited for.
    expect(10n ** 12n - book.balance({ kind: 'requester', requesterId })).toBe(BigInt(ended.spentMicroCredit))
    expect(BigInt(ended.spentMicroCredit)).toBe(BigInt(count) * 100n)
  })

  test('gives its results as lines and as rows, from any index on', async () => {
    const all = await lines(id)
    expect(all.map(({ index }) => index)).toEqual(Array.from({ length: count }, (_, index) => index))
    for (const { index, outputDigest, status, attempts } of all) {
      expect([status, attempts, outputDigest]).toEqual(['verified', 1, outputOf(index)])
    }
    expect(await lines(id, 250)).toEqual(all.slice(250))
    expect(await lines(id, count)).toEqual([])
    const response = await network.request(`/v1/campaigns/${id}/results?format=binary&from=298`)
    expect(response.headers.get('shardy-next-index')).toBe(String(count))
    const rows = await response.bytes()
    expect(rows).toHaveLength(2 * resultRowBytes)
    const last = rows.subarray(resultRowBytes)
    expect(new DataView(last.buffer, last.byteOffset).getUint32(0, true)).toBe(299)
    expect(itemStatuses[last[4] ?? 9]).toBe('verified')
    expect(last.subarray(8, 24).toHex()).toBe(all[299]?.taskId as string)
    expect(last.subarray(24).toHex()).toBe(outputOf(299))
    expect(await problemOf(await network.request(`/v1/campaigns/${id}/results?from=301`))).toMatchObject({
      code: 'invalidField',
      field: 'query.from',
    })
  })

  test('says in its events how far it was, and goes on behind the last that is known', async () => {
    const events = await toEnd(id)
    expect(events.at(0)?.type).toBe('campaign_started')
    expect(events.at(-1)).toMatchObject({ type: 'campaign_ended', verified: count })
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, place) => place + 1))
    const again = await network.request(`/v1/campaigns/${id}/events`, { headers: { 'last-event-id': '3' } })
    expect((await again.text()).match(/^id: \d+/gm)?.at(0)).toBe('id: 4')
  })

  test('has tasks that are tasks: seen, downloaded and, now that it has ended, forgotten', async () => {
    const [first] = await lines(id)
    const output = await (await network.request(`/v1/tasks/${first?.taskId}/output`)).bytes()
    expect(digestOf(output)).toBe(first?.outputDigest as never)
    expect((await network.request(`/v1/tasks/${first?.taskId}`, { method: 'DELETE' })).status).toBe(204)
  })

  test('is listed, and is nobody else’s business', async () => {
    const { campaigns } = await json<CampaignPage>(network.request('/v1/campaigns?limit=1'))
    expect(campaigns).toHaveLength(1)
    const { key } = await json<NewKey>(
      network.request('/v1/keys', { json: { name: 'b', roles: ['requester'] } }),
    )
    const foreign = { apiKey: key }
    expect(await json<CampaignPage>(network.request('/v1/campaigns', foreign))).toEqual({ campaigns: [] })
    for (const path of ['', '/results', '/events', '/webhooks']) {
      expect(await refused(network.request(`/v1/campaigns/${id}${path}`, foreign))).toBe('unknownCampaign')
    }
    for (const act of ['pause', 'resume', 'cancel']) {
      const answer = network.request(`/v1/campaigns/${id}/${act}`, { method: 'POST', ...foreign })
      expect(await refused(answer)).toBe('unknownCampaign')
    }
  })

  test('that has ended takes no more words', async () => {
    for (const act of ['pause', 'resume', 'cancel']) {
      expect(await refused(network.request(`/v1/campaigns/${id}/${act}`, { method: 'POST' }))).toBe(
        'campaignEnded',
      )
    }
  })
})

describe('inputs', () => {
  test('may be blobs, and an item without its blob is refused while the others go on', async () => {
    const inputs = [randomBytes(8), randomBytes(8), randomBytes(9), randomBytes(8)]
    const put = (bytes: Uint8Array<ArrayBuffer>) =>
      network.request(`/v1/blobs/${digestOf(bytes)}`, { method: 'PUT', body: bytes })
    // The last one is never uploaded.
    for (const bytes of inputs.slice(0, 3)) await put(bytes)
    const list = Uint8Array.fromHex(inputs.map(digestOf).join(''))
    await put(list)
    const { campaignId } = await create({ inputs: { list: { digest: digestOf(list), count: 4 } } })
    await toEnd(campaignId)
    expect((await lines(campaignId)).map(({ status, code }) => code ?? status)).toEqual([
      'verified',
      'verified',
      'inputLength',
      'inputMissing',
    ])
  })

  test('that cannot be are refused before anything is kept', async () => {
    const missing = digestOf(randomBytes(8))
    const cases: readonly (readonly [object, string, string])[] = [
      [
        { range: { to: 3, template: { base64: randomBytes(9).toBase64() } } },
        'invalidField',
        'manifest.inputs.range.template',
      ],
      [{ seeds: { to: 3 } }, 'invalidField', 'manifest.inputs.seeds.input'],
      [{ seeds: { to: 3, input: missing } }, 'inputMissing', 'manifest.inputs.seeds.input'],
      [{ blobs: { digests: [missing] } }, 'inputMissing', 'manifest.inputs.blobs.digests.0'],
      [{ list: { digest: missing, count: 1 } }, 'inputMissing', 'manifest.inputs.list.digest'],
      [{ range: { to: 3 }, seeds: { to: 3 } }, 'invalidField', 'manifest.inputs'],
    ]
    for (const [inputs, code, field] of cases) {
      expect(await problemOf(await post({ inputs }))).toMatchObject({ code, field })
    }
  })
})

describe('money', () => {
  test('that does not reach pauses the campaign, and no more than the budget is spent', async () => {
    const poor = await startTestNetwork({ grantMicroCredit: 950n })
    await poor.startWorker()
    const order = { manifest: manifest({ inputs: { range: { to: 50 } }, window: 3 }) }
    const { campaignId } = await json<CampaignView>(poor.request('/v1/campaigns', { json: order }))
    let now = await view(campaignId, poor)
    while (now.status === 'running' || now.open > now.verified + 3) now = await view(campaignId, poor)
    expect(now).toMatchObject({ status: 'paused', reason: 'fundsMissing' })
    await poor.stop()
    const { campaignId: other } = await create({ inputs: { range: { to: 50 } }, budgetMicroCredit: '1050' })
    await toEnd(other)
    expect(await view(other)).toMatchObject({
      reason: 'budgetSpent',
      verified: 10,
      remaining: 40,
      spentMicroCredit: '1000',
    })
  })
})

test('a task of a campaign that has not ended is not forgotten', async () => {
  const alone = await startTestNetwork()
  const order = { manifest: manifest({ inputs: { range: { to: 2 } } }) }
  const { campaignId } = await json<CampaignView>(alone.request('/v1/campaigns', { json: order }))
  let [task] = [...alone.orchestrator.services.dispatcher.state().tasks.values()]
  while (task === undefined) {
    await new Promise((resolve) => setImmediate(resolve))
    ;[task] = [...alone.orchestrator.services.dispatcher.state().tasks.values()]
  }
  const at = `/v1/tasks/${task.spec.taskId}`
  expect(task.spec).toMatchObject({ campaignId: campaignId as never, rewardMicroCredit: 95n as never })
  // Stopped first by its requester: its item is cancelled, and is not tried again.
  expect((await alone.request(`${at}/cancel`, { method: 'POST' })).status).toBe(200)
  expect(await refused(alone.request(at, { method: 'DELETE' }))).toBe('campaignTask')
  await alone.request(`/v1/campaigns/${campaignId}/cancel`, { method: 'POST' })
  await toEnd(campaignId, alone)
  expect((await lines(campaignId, 0, alone)).map(({ status }) => status)).toEqual(['cancelled', 'cancelled'])
  expect((await alone.request(at, { method: 'DELETE' })).status).toBe(204)
  await alone.stop()
})

test('a campaign goes on after a restart, and no item is lost or paid twice', async () => {
  const store = await openMemoryStore()
  const first = await startTestNetwork({ store })
  await first.startWorker()
  const order = { manifest: manifest({ inputs: { range: { to: 400 } }, window: 40 }) }
  const { apiKey } = first
  const { campaignId } = await json<CampaignView>(first.request('/v1/campaigns', { json: order }))
  while ((await view(campaignId, first)).verified < 50) await new Promise((resolve) => setTimeout(resolve, 5))
  await first.stop()
  const again = await startTestNetwork({ store })
  await again.startWorker()
  const asOwner: TestNetwork = { ...again, request: (path, call) => again.request(path, { apiKey, ...call }) }
  await toEnd(campaignId, asOwner)
  const results = await lines(campaignId, 0, asOwner)
  expect(results.map(({ outputDigest }) => outputDigest)).toEqual(
    Array.from({ length: 400 }, (_, index) => outputOf(index)),
  )
  const { bookkeeper, apiKeys } = again.orchestrator.services
  const { requesterId } = apiKeys.find(apiKey) ?? {}
  if (requesterId === undefined) throw new Error('no key')
  expect(10n ** 12n - bookkeeper.book.balance({ kind: 'requester', requesterId })).toBe(400n * 100n)
  await again.stop()
}, 20_000)

describe('words to a campaign', () => {
  test('are idempotent, and the same order is the same campaign', async () => {
    const alone = await startTestNetwork()
    const call = { json: { manifest: manifest() }, headers: { 'idempotency-key': 'once' } }
    const [made, same] = [
      await alone.request('/v1/campaigns', call),
      await alone.request('/v1/campaigns', call),
    ]
    expect([made.status, same.status]).toEqual([201, 200])
    const { campaignId } = await json<CampaignView>(made)
    expect((await json<CampaignView>(same)).campaignId).toBe(campaignId)
    const other = { ...call, json: { manifest: manifest({ window: 3 }) } }
    expect(await refused(alone.request('/v1/campaigns', other))).toBe('idempotencyConflict')
    const say = (act: string) =>
      json<CampaignView>(alone.request(`/v1/campaigns/${campaignId}/${act}`, { method: 'POST' }))
    for (const act of ['pause', 'pause'])
      expect(await say(act)).toMatchObject({ status: 'paused', reason: 'asked' })
    for (const act of ['resume', 'resume']) expect((await say(act)).status).toBe('running')
    expect(await lines(campaignId, 0, alone)).toEqual([])
    await say('cancel')
    await toEnd(campaignId, alone)
    await alone.stop()
  })
})

describe('hostile values', () => {
  const hostile = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom<unknown>(
      '',
      '\0',
      '-1',
      '1e9',
      '9'.repeat(30),
      '../..',
      null,
      -1,
      2 ** 53,
      1.5,
      [],
      {},
      'x'.repeat(10_000),
    ),
  )

  test('in any field of a manifest name the field, its value and its bound; nothing breaks', async () => {
    const names = [
      ...Object.keys(manifest()),
      'verify',
      'proof',
      'priority',
      'window',
      'retriesMax',
      'stopAfterFailures',
      'taskTimeoutMs',
      'webhook',
      '__proto__',
    ]
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), hostile, async (name, value) => {
        const text = JSON.stringify({ manifest: { ...manifest(), [name]: value } })
        const response = await network.request('/v1/campaigns', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: text,
        })
        if (response.ok) {
          const { campaignId } = (await response.json()) as CampaignView
          await network.request(`/v1/campaigns/${campaignId}/cancel`, { method: 'POST' })
          return
        }
        const problem = await problemOf(response)
        expect(['invalidField', 'webhookRefused', 'secretMissing']).toContain(problem.code)
        expect(problem.field).toStartWith('manifest')
        expect(problem.bound).toBeDefined()
      }),
      { numRuns: 150 },
    )
  }, 30_000)

  test('in bodies, ids and queries are told as what they are', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, fc.string({ maxLength: 40 }), async (value, text) => {
        const body = await network.request('/v1/campaigns', { json: value ?? null })
        expect([401, 422, 415, 400]).toContain(body.status)
        const secret = await post({}, { webhookSecret: value })
        expect((await problemOf(secret)).code).toBe('invalidField')
        const word = encodeURIComponent(text)
        for (const path of [
          `/${word || 'x'}`,
          `/${'0'.repeat(32)}/results?from=${word}`,
          `/${'0'.repeat(32)}/results?format=${word}`,
          `?limit=${word}`,
          `?cursor=${word}`,
        ]) {
          const { status } = await network.request(`/v1/campaigns${path}`)
          expect([200, 404, 422]).toContain(status)
        }
        const after = await network.request(`/v1/campaigns/${'0'.repeat(32)}/events?after=${word}`)
        expect([404, 422]).toContain(after.status)
        const forgotten = await network.request(`/v1/webhook-secrets/${word || 'x'}`, { method: 'DELETE' })
        expect([404, 422]).toContain(forgotten.status)
      }),
      { numRuns: 60 },
    )
    expect(network.fatal).toEqual([])
  }, 30_000)
})

test('webhooks that nobody may send are refused, and a secret is never shown', async () => {
  const webhook = { url: 'https://127.0.0.1/hook', events: ['campaign_ended'], secretName: 'a' }
  expect(await problemOf(await post({ webhook }))).toMatchObject({
    code: 'webhookRefused',
    field: 'manifest.webhook.url',
  })
  const open = await startTestNetwork({ webhooks: { reach: 'private', resolve: async () => ['127.0.0.1'] } })
  const order = { manifest: manifest({ webhook: { ...webhook, url: 'http://127.0.0.1:1/hook' } }) }
  expect(await refused(open.request('/v1/campaigns', { json: order }))).toBe('secretMissing')
  const webhookSecret = randomBytes(32).toBase64()
  const made = await json<CampaignView>(open.request('/v1/campaigns', { json: { ...order, webhookSecret } }))
  expect(JSON.stringify(made)).not.toContain(webhookSecret)
  // Known by its name from now on; another under that name is a conflict.
  expect((await open.request('/v1/campaigns', { json: order })).status).toBe(201)
  const another = { ...order, webhookSecret: randomBytes(32).toBase64() }
  expect(await refused(open.request('/v1/campaigns', { json: another }))).toBe('secretConflict')
  const listed = await json<WebhookPage>(open.request(`/v1/campaigns/${made.campaignId}/webhooks`))
  expect(listed.webhooks).toEqual([])
  expect((await open.request('/v1/webhook-secrets/a', { method: 'DELETE' })).status).toBe(204)
  expect(await refused(open.request('/v1/webhook-secrets/a', { method: 'DELETE' }))).toBe('unknownSecret')
  await open.stop()
})

test('the manifest of the guide runs as it stands there', async () => {
  const guide = await Bun.file(path.join(import.meta.dir, '../../../../docs/campaigns.md')).text()
  const [, block = ''] = /```json\n(\{[\s\S]*?\n\})\n```/.exec(guide) ?? []
  const order = { manifest: { ...JSON.parse(block), deadlineMs: Date.now() + hourMs } }
  const { campaignId } = await json<CampaignView>(network.request('/v1/campaigns', { json: order }))
  await toEnd(campaignId)
  expect(await view(campaignId)).toMatchObject({ status: 'ended', verified: 500, spentMicroCredit: '50000' })
  expect((await lines(campaignId))[7]?.outputDigest).toBe(outputOf(7))
}, 30_000)

test('a webhook gets a signed event from the whole of it, and is told to be delivered', async () => {
  const secret = randomBytes(32)
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const receiver = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const get = (name: string): string => request.headers.get(name) ?? ''
      const received = {
        eventId: get(webhookHeaders.id),
        timeMs: get(webhookHeaders.timeMs),
        signature: get(webhookHeaders.signature),
        body: await request.text(),
      }
      resolve(verifyWebhook(received, secret, Date.now() as never, sha256))
      return new Response()
    },
  })
  const open = await startTestNetwork({ webhooks: { reach: 'private', resolve: async () => ['127.0.0.1'] } })
  await open.startWorker()
  const webhook = { url: `http://127.0.0.1:${receiver.port}/`, events: ['campaign_ended'], secretName: 'a' }
  const order = { manifest: manifest({ webhook }), webhookSecret: secret.toBase64() }
  const { campaignId } = await json<CampaignView>(open.request('/v1/campaigns', { json: order }))
  expect(await promise).toBeUndefined()
  const listed = () => json<WebhookPage>(open.request(`/v1/campaigns/${campaignId}/webhooks`))
  while ((await listed()).webhooks[0]?.status !== 'delivered') await new Promise((done) => setImmediate(done))
  expect(open.orchestrator.services.webhooks.waiting()).toBe(0)
  await open.stop()
  await receiver.stop(true)
})
