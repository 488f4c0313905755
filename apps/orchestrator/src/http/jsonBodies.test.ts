/** JSON bodies over real lines: slow, many, and dishonest about their length. What was let in is always finished. */
import { afterEach, describe, expect, test } from 'bun:test'
import { jsonBytesMax } from '@shardy/api'
import { batchContentType } from '@shardy/protocol'
import { example, problemOf, submit } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { openRawLine, type RawLine } from '../../test/rawHttp.ts'
import { requestBytes } from './bodyBudget.ts'

const networks: TestNetwork[] = []
const lines: RawLine[] = []
afterEach(async () => {
  for (const { socket } of lines.splice(0)) socket.destroy()
  for (const network of networks.splice(0)) await network.stop()
})

/** Room for two bodies of unknown length, and one short request beside them, in the half that one requester may take. */
async function start(deadlineMs = 60_000): Promise<TestNetwork> {
  const bodies = { bytesMax: 2 * (2 * jsonBytesMax + requestBytes), deadlineMs }
  const network = await startTestNetwork({ bodies })
  networks.push(network)
  return network
}

/** A request whose body is sent by hand. */
function open(network: TestNetwork, headers: readonly string[], path = '/v1/tasks'): RawLine {
  const line = openRawLine(network.serving.port)
  lines.push(line)
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${network.apiKey}`,
    ...(headers.some((each) => each.startsWith('Content-Type')) ? [] : ['Content-Type: application/json']),
    ...headers,
  ]
  line.write(`${head.join('\r\n')}\r\n\r\n`)
  return line
}

/** Takes all the room there is: of three slow bodies one is sent away, and the other two are under way. */
async function fill(network: TestNetwork, headers: readonly string[] = chunked): Promise<readonly RawLine[]> {
  const three = [open(network, headers), open(network, headers), open(network, headers)]
  const shed = await Promise.race(three.map((line) => line.heads(1).then(() => line)))
  return three.filter((line) => line !== shed)
}

const chunked = ['Transfer-Encoding: chunked']
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const lastChunk = '0\r\n\r\n'
const body = (): string => JSON.stringify(example().submission)

/** A body that is longer than a short request, and read to its end is no submission. */
const probe = (network: TestNetwork): Promise<Response> =>
  network.request('/v1/tasks', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{${' '.repeat(2 * requestBytes)}}`,
  })

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve))
}
const untilFree = (network: TestNetwork) => until(async () => (await probe(network)).status === 422)

const statusOf = (head: string): string => head.slice(9, 12)

test('slow bodies fill the room; others are told when to come back, short ones pass, and the slow ones finish', async () => {
  const network = await start()
  const slow = await fill(network)
  for (const line of slow) line.write(chunk('{'))

  const shed = await probe(network)
  expect(shed.headers.get('retry-after')).toBe('1')
  expect(await problemOf(shed)).toMatchObject({ code: 'overloaded', retryAfterMs: 1_000 })
  for (const path of ['/v1/tasks', '/v1/campaigns']) {
    expect(await open(network, chunked, path).heads(1)).toMatch(/^HTTP\/1.1 503 [\s\S]*Retry-After: 1\r/i)
  }
  const batch = open(network, [`Content-Type: ${batchContentType}`, ...chunked], '/v1/tasks/batch')
  expect(statusOf(await batch.heads(1))).toBe('503')
  // Its length is known, and there is room for it.
  await submit(network)

  for (const line of slow) line.write(chunk(body().slice(1)) + lastChunk)
  for (const line of slow) expect(statusOf(await line.heads(1))).toBe('201')
  await untilFree(network)
})

test('of many at once as many are let in as there is room for, and each of those is finished', async () => {
  const network = await start()
  const first = await fill(network)
  const many = Array.from({ length: 40 }, () => open(network, chunked))
  for (const line of many) expect(statusOf(await line.heads(1))).toBe('503')
  for (const line of first) line.write(chunk(body()) + lastChunk)
  for (const line of first) expect(statusOf(await line.heads(1))).toBe('201')
})

test('orders of operators have room of their own', async () => {
  const network = await start()
  await fill(network)
  expect((await probe(network)).status).toBe(503)
  const denial = { programId: 'ab'.repeat(32), reason: `test${' '.repeat(60)}` }
  const response = await network.request('/v1/policy/deny', { json: denial })
  expect(response.status).toBe(200)
})

describe('a body that does not come in time', () => {
  for (const [story, headers, sent] of [
    ['with a length', ['Content-Length: 100000'], '{'],
    ['in chunks', chunked, chunk('{')],
  ] as const) {
    test(`${story} is let go of, and its room is free`, async () => {
      const network = await start(200)
      const line = open(network, headers)
      line.write(sent)
      const head = await line.heads(1)
      expect(statusOf(head)).toBe('503')
      expect(head).toContain('within 200 ms')
      await untilFree(network)
    })
  }

  test('because its line broke leaves no room taken', async () => {
    const network = await start()
    for (const headers of [chunked, [`Content-Length: ${jsonBytesMax}`]]) {
      const broken = await fill(network, headers)
      for (const line of broken) line.write('1')
      for (const line of broken) await line.break()
      await untilFree(network)
    }
    await submit(network)
  })
})

describe('a length', () => {
  test('beyond what a body may have is refused before the body comes, and holds nothing', async () => {
    const network = await start()
    for (const length of [jsonBytesMax + 1, 10 ** 12]) {
      const head = await open(network, [`Content-Length: ${length}`]).heads(1)
      expect(statusOf(head)).toBe('413')
    }
    expect((await probe(network)).status).toBe(422)
  })

  test('shorter than the body cuts it there', async () => {
    const network = await start()
    const line = open(network, ['Content-Length: 3', 'Connection: close'])
    line.write(body())
    expect(await line.heads(1)).toContain('malformedJson')
  })

  test('beside chunks, or twice, or no number, is not believed', async () => {
    const network = await start()
    for (const headers of [
      ['Content-Length: 1', ...chunked],
      ['Content-Length: 1', `Content-Length: ${jsonBytesMax}`],
      ['Content-Length: -1'],
      ['Content-Length: 0x10'],
    ]) {
      const line = open(network, headers)
      line.write(chunk('x'.repeat(5_000)) + lastChunk)
      expect(statusOf(await line.heads(1))).toMatch(/^4/)
    }
    expect((await probe(network)).status).toBe(422)
  })

  test('that is not said is bounded as the body comes', async () => {
    const network = await start()
    const line = open(network, chunked)
    const piece = chunk('x'.repeat(64 * 1024))
    for (let sent = 0; sent <= jsonBytesMax; sent += 64 * 1024) line.write(piece)
    expect(await line.heads(1)).toContain('bodyTooLarge')
    await untilFree(network)
  })
})
