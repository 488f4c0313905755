/** The stream of all events over real sockets: server-sent events, WebSocket, and the client that comes back. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  createClient,
  followEvents,
  type Problem,
  readMessages,
  type StreamEventView,
  type StreamMessage,
} from '@shardy/api'
import type { RequesterId, TimeMs } from '@shardy/protocol'
import { problemOf, refused } from '../../test/example.ts'
import { type Call, openMemoryStore, startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { record, streamRecordOf, until } from '../../test/streamRecords.ts'

let network: TestNetwork
let requesterId: RequesterId
/** Of a requester, who is nothing more. */
let apiKey: string
const foreign = 'bb'.repeat(32) as RequesterId

beforeEach(async () => {
  network = await startTestNetwork()
  const { apiKeys } = network.orchestrator.services
  apiKey = await apiKeys.create('reader')
  requesterId = apiKeys.requester(apiKey) as RequesterId
})
afterEach(() => network.stop())

const ask = (path: string, call: Call = {}) => network.request(path, { apiKey, ...call })

const write = (marks: readonly number[], more = {}, of: TestNetwork = network) =>
  record(
    of.store,
    of.orchestrator.services.eventLog,
    marks.map((mark) => streamRecordOf(mark, { requesterId, ...more })),
  )

/** What a stream says until it ends, or until enough is said. */
async function parts(response: Response | Promise<Response>, enough = Number.POSITIVE_INFINITY) {
  const { body } = await response
  const said: string[] = []
  if (body === null) return said
  for await (const { id, event, data } of readMessages(body)) {
    const view = data === undefined ? undefined : (JSON.parse(data) as { detail?: string; reason?: string })
    said.push([id, event, view?.detail ?? view?.reason].filter((each) => each !== undefined).join(' '))
    if (said.length === enough) break
  }
  return said
}

const marksOf = (events: readonly StreamEventView[]) => events.map(({ detail }) => Number(detail))

describe('server-sent events', () => {
  test('give what is kept and then what happens, each under its cursor', async () => {
    await write([1, 2])
    const stream = ask('/v1/events?after=oldest')
    const said = parts(stream, 5)
    await until(() => network.orchestrator.services.followers.size() === 1)
    await write([3], { type: 'task_verified' })
    await write([4], { requesterId: foreign })
    await write([5])
    expect(await said).toEqual(['0', '1 delivered 1', '2 delivered 2', '3 task_verified 3', '5 delivered 5'])
    await until(() => network.orchestrator.services.followers.size() === 0)
  })

  test('go on after a cursor, of which the one in the header counts', async () => {
    await write([1, 2, 3, 4])
    const headers = { 'last-event-id': '3' }
    expect(await parts(ask('/v1/events?after=1&live=no', { headers }))).toEqual([
      '3',
      '4 delivered 4',
      '4 end caughtUp',
    ])
    expect(await parts(ask('/v1/events?after=4&live=no'))).toEqual(['4', '4 end caughtUp'])
    // Without a cursor: from now on.
    expect(await parts(ask('/v1/events?live=no'))).toEqual(['4', '4 end caughtUp'])
  })

  test('only of the types that were asked for', async () => {
    await write([1])
    await write([2], { type: 'slashed' })
    await write([3], { type: 'requeued' })
    const asked = '/v1/events?after=oldest&live=no&types=slashed,requeued'
    expect(await parts(ask(asked))).toEqual(['0', '2 slashed 2', '3 requeued 3', '3 end caughtUp'])
  })

  test('end with the process', async () => {
    const said = parts(ask('/v1/events'))
    await until(() => network.orchestrator.services.followers.size() === 1)
    await network.orchestrator.services.followers.stop()
    expect((await said).at(-1)).toBe('0 end stopping')
    expect(await refused(ask('/v1/events'))).toBe('shuttingDown')
  })

  test('a reader that does not read costs a bounded buffer', async () => {
    const { eventLog, followers } = network.orchestrator.services
    const { body } = await ask('/v1/events')
    await until(() => followers.size() === 1)
    const before = process.memoryUsage.rss()
    const detail = 'x'.repeat(250)
    for (let round = 0; round < 60; round++) {
      await record(
        network.store,
        eventLog,
        Array.from({ length: 1_000 }, (_, mark) => streamRecordOf(mark, { requesterId, detail })),
      )
    }
    expect(eventLog.newest()).toBe(60_000)
    expect(process.memoryUsage.rss() - before).toBeLessThan(400_000_000)
    // It reads after all, and nothing is missing.
    let last = 0
    for await (const { id, data } of readMessages(body as ReadableStream<Uint8Array>)) {
      if (data === undefined) continue
      expect(Number(id)).toBe(last + 1)
      last = Number(id)
      if (last === 60_000) break
    }
  }, 30_000)
})

test("operators and auditors see what is nobody else's, and a key that is revoked sees no more", async () => {
  const { apiKeys } = network.orchestrator.services
  await write([1])
  await write([2], { requesterId: foreign })
  await write([3], { requesterId: undefined, taskId: undefined, type: 'quarantined' })
  const asked = '/v1/events?after=oldest&live=no'
  for (const role of ['operator', 'auditor', 'admin'] as const) {
    const key = await apiKeys.create(role, [role])
    const said = await parts(ask(asked, { apiKey: key }))
    expect(said).toEqual(['0', '1 delivered 1', '2 delivered 2', '3 quarantined 3', '3 end caughtUp'])
  }
  expect(await parts(ask(asked))).toEqual(['0', '1 delivered 1', '3 end caughtUp'])
  const leaving = await apiKeys.create('leaving')
  const following = parts(ask('/v1/events', { apiKey: leaving }))
  await until(() => network.orchestrator.services.followers.size() === 1)
  await apiKeys.revoke(apiKeys.find(leaving)?.keyId ?? '', {})
  await write([4])
  expect(await following).toEqual(['3', '3 end notAllowed'])
})

describe('a cursor that leads nowhere', () => {
  const problem = async (path: string): Promise<Partial<Problem>> => {
    const { code, status, cursor, field } = await problemOf(await ask(path))
    return { code, status, field, cursor } as Partial<Problem>
  }

  test('too old says from where on events are kept', async () => {
    for (const mark of [1, 2, 3]) await write([mark], { atMs: 0 as TimeMs })
    await network.orchestrator.services.eventLog.compact((8 * 86_400_000) as TimeMs)
    const expected = { code: 'cursorTooOld', status: 410, field: 'query.after', cursor: 2 } as const
    expect(await problem('/v1/events?after=1')).toEqual(expected)
    expect(await problem('/v1/events/ws?after=0')).toEqual({ ...expected })
    expect(await parts(ask('/v1/events?after=oldest&live=no'))).toContain('3 delivered 3')
  })

  test('ahead of the newest is of another log', async () => {
    await write([1])
    expect(await problem('/v1/events?after=2')).toEqual({
      code: 'cursorAhead',
      status: 409,
      field: 'query.after',
      cursor: 1,
    })
  })

  const hostile = ['-1', '01', '1.5', 'x', '', '9'.repeat(16), '1e3', 'Oldest', '%00', '٣']
  for (const after of hostile) {
    test(`${JSON.stringify(after)} is refused`, async () => {
      for (const path of ['/v1/events', '/v1/events/ws']) {
        expect(await refused(ask(`${path}?after=${after}`))).toBe('invalidField')
      }
    })
  }

  test('and so are types that nobody knows, in any form', async () => {
    const words = ['slashed,', ',slashed', 'Slashed', 'toString', '__proto__', 'slashed;lost', 'a'.repeat(40)]
    for (const types of [...words, Array(40).fill('lost').join(',')]) {
      expect(await refused(ask(`/v1/events?types=${types}`))).toBe('invalidField')
    }
    expect(await refused(ask('/v1/events?live=maybe'))).toBe('invalidField')
    expect(await refused(ask('/v1/events?more=1'))).toBe('invalidField')
    expect(network.orchestrator.services.followers.size()).toBe(0)
  })
})

describe('a WebSocket', () => {
  function connect(query = '', headers: Record<string, string> = { authorization: `Bearer ${apiKey}` }) {
    const url = `${network.serving.url.replace('http', 'ws')}/v1/events/ws${query}`
    const socket = new WebSocket(url, { headers } as never)
    const messages: StreamMessage[] = []
    const closed = new Promise<{ code: number; reason: string }>((resolve) => {
      socket.onclose = ({ code, reason }) => resolve({ code, reason })
    })
    socket.onmessage = ({ data }) => void messages.push(JSON.parse(String(data)) as StreamMessage)
    const events = () => messages.flatMap((message) => ('events' in message ? message.events : []))
    return { socket, messages, events, closed }
  }

  test('gives the same events under the same cursors', async () => {
    await write([1, 2])
    const { events, messages, socket, closed } = connect('?after=1')
    await until(() => events().length === 1, 1e6)
    await write([3])
    await write([4], { requesterId: foreign })
    await write([5])
    await until(() => events().length === 3, 1e6)
    expect(messages[0]).toEqual({ heartbeat: { cursor: '1' } })
    expect(events().map(({ cursor }) => cursor)).toEqual(['2', '3', '5'])
    socket.close()
    await closed
    await until(() => network.orchestrator.services.followers.size() === 0, 1e6)
  })

  test('ends with a reason, in words and as a code', async () => {
    await write([1])
    const { messages, closed } = connect('?after=oldest&live=no')
    expect(await closed).toEqual({ code: 1000, reason: 'caughtUp' })
    expect(messages.at(-1)).toEqual({ end: { reason: 'caughtUp', cursor: '1' } })
    const stopped = connect()
    await until(() => stopped.messages.length === 1, 1e6)
    await network.orchestrator.services.followers.stop()
    expect(await stopped.closed).toEqual({ code: 1012, reason: 'stopping' })
  })

  test('takes nothing', async () => {
    const { socket, messages, closed } = connect()
    await until(() => messages.length === 1, 1e6)
    socket.send('hello')
    expect((await closed).code).toBe(1008)
  })

  test('is for who has a key and asks for one', async () => {
    const { closed, messages } = connect('', {})
    await closed
    expect(messages).toEqual([])
    expect(await refused(ask('/v1/events/ws', { anonymous: true }))).toBe('missingApiKey')
    expect(await refused(ask('/v1/events/ws'))).toBe('upgradeRequired')
    expect(network.orchestrator.services.followers.size()).toBe(0)
  })
})

test('a follower gets each event once while the orchestrator restarts again and again', async () => {
  const store = await openMemoryStore()
  // One address for all of them: each in turn answers what the follower asks.
  let current = await startTestNetwork({ store })
  const own = await current.orchestrator.services.apiKeys.create('follower')
  const mine = current.orchestrator.services.apiKeys.requester(own) as RequesterId
  const send = ((url: URL, init: RequestInit) =>
    fetch(new URL(url.pathname + url.search, current.serving.url), init)) as unknown as typeof fetch
  const stop = new AbortController()
  const client = createClient({ baseUrl: 'http://any', apiKey: own, fetch: send })
  const seen: StreamEventView[] = []
  const following = (async () => {
    const wait = () => new Promise<void>((resolve) => setTimeout(resolve, 1))
    for await (const event of followEvents(client, { after: '0', signal: stop.signal, wait }))
      seen.push(event)
  })().catch(() => {})
  let mark = 0
  for (let round = 0; round < 5; round++) {
    for (let each = 0; each < 20; each++) await write([++mark], { requesterId: mine }, current)
    const wanted = mark - 10
    await until(() => seen.length >= wanted, 1e6)
    const leaving = current
    current = await startTestNetwork({ store })
    await leaving.stop()
    await write([++mark], { requesterId: mine }, current)
  }
  await until(() => seen.length === mark, 1e6)
  stop.abort()
  await following
  expect(marksOf(seen)).toEqual(Array.from({ length: mark }, (_, index) => index + 1))
  await current.stop()
  await store.close()
}, 30_000)
