import { afterEach, describe, expect, test } from 'bun:test'
import { type ItemResultView, nextIndexHeader, UnexpectedAnswerError } from '@shardy/api'
import { type Handlers, serveRoutes, type TestServer, testApiKey } from '@shardy/api/testing'
import { createRequester } from './requester.ts'

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

function at(handlers: Handlers) {
  server = serveRoutes(handlers)
  return createRequester({ url: server.url, apiKey: testApiKey, wait: async () => {} }).campaigns
}

const campaignId = 'ab'.repeat(16)
const result = (index: number): ItemResultView => ({
  index,
  status: 'verified',
  attempts: 1,
  costMicroCredit: '5',
})
const line = (index: number): string => `${JSON.stringify(result(index))}\n`

async function all<T>(generator: AsyncGenerator<T>): Promise<T[]> {
  const found: T[] = []
  for await (const each of generator) found.push(each)
  return found
}

const answered = (text: string, next: number) =>
  new Response(text, { headers: { [nextIndexHeader]: String(next) } })

describe('results', () => {
  test('go on behind the last that came whole when the line breaks, and none comes twice', async () => {
    const asked: string[] = []
    const campaigns = at({
      campaignResults({ query: { from = '' } }) {
        asked.push(from)
        const first = Number(from)
        // Two and a half of them, each time.
        const text = [first, first + 1, first + 2]
          .filter((index) => index < 7)
          .map(line)
          .join('')
        return answered(first + 3 > 7 ? text : text.slice(0, -20), 7)
      },
    })
    expect((await all(campaigns.results(campaignId))).map(({ index }) => index)).toEqual([
      0, 1, 2, 3, 4, 5, 6,
    ])
    expect(asked).toEqual(['0', '2', '4', '6'])
  })

  for (const [name, text] of [
    ['of another item', line(1)],
    ['that are none', '{"index":0}\n'],
    ['that are no JSON', 'hello\n'],
  ] as const) {
    test(`${name} are an unexpected answer`, async () => {
      const campaigns = at({ campaignResults: () => answered(text, 7) })
      await expect(all(campaigns.results(campaignId))).rejects.toBeInstanceOf(UnexpectedAnswerError)
    })
  }

  test('that never come are given up', async () => {
    const campaigns = at({ campaignResults: () => answered('', 7) })
    await expect(all(campaigns.results(campaignId))).rejects.toThrow('nobody answers')
    expect(server?.requests).toHaveLength(5)
  })
})

test('events come once and in order, over as many connections as it takes', async () => {
  const counts = {
    total: 3,
    open: 0,
    verified: 0,
    accepted: 0,
    dead: 0,
    refused: 0,
    cancelled: 0,
    spentMicroCredit: '0',
  }
  const campaigns = at({
    campaignEvents({ headers }) {
      const sequence = Number(headers['last-event-id'] ?? '0') + 1
      const [type, status] = sequence === 3 ? ['campaign_ended', 'ended'] : ['campaign_progress', 'running']
      const data = JSON.stringify({ sequence, atMs: 1, type, status, ...counts })
      return new Response(`id: ${sequence}\ndata: ${data}\n\n`)
    },
  })
  expect((await all(campaigns.watch(campaignId))).map(({ sequence }) => sequence)).toEqual([1, 2, 3])
})

test('a secret travels as base64, beside the manifest', async () => {
  let body: unknown
  const campaigns = at({
    createCampaign(parsed) {
      body = parsed.body
      return { status: 500, json: {} }
    },
  })
  await campaigns.create({ name: 'a' } as never, { webhookSecret: Uint8Array.of(1, 2, 3) }).catch(() => {})
  expect(body).toEqual({ manifest: { name: 'a' }, webhookSecret: 'AQID' } as never)
})
