/** The client against servers that fail: it repeats what is safe to repeat, a bounded number of times. */
import { afterEach, describe, expect, test } from 'bun:test'
import { sampleView } from '../test/sampleView.ts'
import { type Handlers, serveRoutes, type TestServer, testApiKey } from '../test/server.ts'
import { type ClientConfig, createClient, UnexpectedAnswerError, UnreachableError } from './client.ts'
import { orchestratorRoutes as routes } from './orchestrator.ts'
import { ApiError, parseProblem } from './problem.ts'

const task = sampleView()
const { taskId } = task
const params = { taskId }
const body = {
  kind: 'program',
  program: { op: 'matmul', m: 2, k: 2, n: 2 },
  input: { base64: 'AAAAAAAAAAA=' },
} as const
const stops: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

function serve(handlers: Handlers): TestServer {
  const server = serveRoutes(handlers)
  stops.push(server.close)
  return server
}

/** A server that knows nothing of the interface. */
function listen(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: answer })
  stops.push(() => server.stop(true))
  return `http://127.0.0.1:${server.port}`
}

function clientOf(baseUrl: string, config: Partial<ClientConfig> = {}) {
  const pauses: number[] = []
  const wait = async (ms: number): Promise<void> => {
    pauses.push(ms)
  }
  return { pauses, client: createClient({ baseUrl, apiKey: testApiKey, wait, ...config }) }
}

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error) => error,
  )

describe('an answer', () => {
  test('comes with the key, the path, the query and the body where they belong', async () => {
    const seen: (string | null)[] = []
    const url = listen((request) => {
      const { pathname, search } = new URL(request.url)
      seen.push(pathname, search, request.headers.get('authorization'))
      return Response.json({ tasks: [] })
    })
    const { client } = clientOf(`${url}/behind/a/proxy/`)
    await client.call(routes.listTasks, { query: { status: 'dead', limit: '3' } })
    expect(seen).toEqual(['/behind/a/proxy/v1/tasks', '?status=dead&limit=3', `Bearer ${testApiKey}`])
  })

  test('does not get the key where none is needed', async () => {
    let authorization: string | null | undefined
    const url = listen((request) => {
      authorization = request.headers.get('authorization')
      return Response.json({})
    })
    await errorOf(clientOf(url).client.call(routes.health))
    expect(authorization).toBeNull()
  })

  test('of 204 is nothing', async () => {
    const { url } = serve({ forgetTask: () => new Response(null, { status: 204 }) })
    expect(await clientOf(url).client.call(routes.forgetTask, { params })).toBeUndefined()
  })

  const strange: readonly (readonly [string, () => Response, RegExp])[] = [
    ['HTML with 200', () => new Response('<h1>hi</h1>'), /no JSON/],
    ['JSON of another shape', () => Response.json({ tasks: 'many' }), /tasks is wrong/],
    [
      'JSON with a broken field',
      () => Response.json({ tasks: [{ ...task, status: 'odd' }] }),
      /tasks\.0\.status is wrong/,
    ],
    ['another status', () => Response.json({ tasks: [] }, { status: 201 }), /no JSON is due/],
    ['bytes that are no text', () => new Response(Uint8Array.of(0xff)), /no JSON/],
    ['an error that is not ours', () => new Response('nginx', { status: 502 }), /HTTP 502, and .*nginx/],
    [
      'a code that is not ours',
      () => Response.json({ code: 'toString', detail: 'x' }, { status: 400 }),
      /HTTP 400/,
    ],
    ['null as an error', () => new Response('null', { status: 500 }), /HTTP 500/],
    ['an endless error', () => new Response('x'.repeat(200_000), { status: 500 }), /HTTP 500/],
  ]
  for (const [story, answer, message] of strange) {
    test(`that is ${story} is not taken for one of ours`, async () => {
      let asked = 0
      const url = listen(() => {
        asked++
        return answer()
      })
      const error = await errorOf(clientOf(url).client.call(routes.listTasks))
      expect(error).toBeInstanceOf(UnexpectedAnswerError)
      expect((error as Error).message).toMatch(message)
      expect((error as Error).message.length).toBeLessThan(500)
      expect(asked).toBe(1)
    })
  }
})

describe('a refusal', () => {
  test("is the server's own, once", async () => {
    const { url, requests } = serve({
      getTask: () => {
        throw new ApiError('unknownTask', { detail: 'gone', field: 'taskId', value: 'x' })
      },
    })
    const error = await errorOf(clientOf(url).client.call(routes.getTask, { params }))
    expect(error).toBeInstanceOf(ApiError)
    expect((error as ApiError).problem).toMatchObject({ code: 'unknownTask', status: 404, field: 'taskId' })
    expect(requests).toHaveLength(1)
  })

  test('of HEAD is told by status and headers alone', async () => {
    const { url } = serve({
      headBlob: () => {
        throw new ApiError('unknownBlob', { detail: 'part', offset: 42 })
      },
    })
    const error = await errorOf(
      clientOf(url).client.open(routes.headBlob, { params: { digest: '0'.repeat(64) } }),
    )
    expect((error as ApiError).problem).toMatchObject({ code: 'unknownBlob', offset: 42 })
  })

  test('takes nothing from the answer that it should not', () => {
    const hostile = {
      code: 'overloaded',
      detail: 'd',
      status: 200,
      title: 'mine',
      type: 'evil',
      retryAfterMs: -5,
      offset: 'x',
      field: 7,
      more: 1,
    }
    expect(parseProblem(JSON.stringify(hostile))).toEqual({
      code: 'overloaded',
      detail: 'd',
      status: 503,
      title: 'Too much is waiting; try again',
      type: 'urn:shardy:error:overloaded',
    })
    for (const text of ['', '[]', '1', '{}', '{"code":"overloaded"}', '{"code":"__proto__","detail":""}']) {
      expect(parseProblem(text)).toBeUndefined()
    }
  })
})

describe('repeats', () => {
  const overloaded = (retryAfterMs?: number) => () => {
    throw new ApiError('overloaded', { detail: 'full', ...(retryAfterMs !== undefined && { retryAfterMs }) })
  }

  test('an overloaded server is asked again after the pause that it names, and answers', async () => {
    let calls = 0
    const { url } = serve({
      getTask: () => (++calls < 3 ? overloaded(700)() : { status: 200, json: task }),
    })
    const { client, pauses } = clientOf(url)
    expect(await client.call(routes.getTask, { params })).toEqual(task)
    expect(pauses).toEqual([700, 700])
  })

  test('a server that stays overloaded is asked four times', async () => {
    const { url, requests } = serve({ getTask: overloaded() })
    const { client, pauses } = clientOf(url)
    expect(await errorOf(client.call(routes.getTask, { params }))).toMatchObject({
      problem: { code: 'overloaded' },
    })
    expect(requests).toHaveLength(4)
    expect(pauses).toEqual([5000, 5000, 5000])
  })

  test("a proxy's 503 counts too, and no pause is longer than five seconds", async () => {
    const url = listen(() => new Response('busy', { status: 503, headers: { 'retry-after': '3600' } }))
    const { client, pauses } = clientOf(url)
    expect(await errorOf(client.call(routes.getTask, { params }))).toBeInstanceOf(UnexpectedAnswerError)
    expect(pauses).toEqual([5000, 5000, 5000])
    const dated = listen(
      () => new Response('', { status: 503, headers: { 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT' } }),
    )
    const other = clientOf(dated)
    await errorOf(other.client.call(routes.getTask, { params }))
    expect(other.pauses).toEqual([200, 400, 800])
  })

  test('nobody at the address: four tries, then the address is named', async () => {
    let tries = 0
    const refuse = (async () => {
      tries++
      throw new TypeError('connection refused')
    }) as unknown as typeof fetch
    const { client } = clientOf('http://nobody.invalid', { fetch: refuse })
    const error = await errorOf(client.call(routes.getTask, { params }))
    expect(error).toBeInstanceOf(UnreachableError)
    expect((error as Error).message).toBe('nobody answers at http://nobody.invalid')
    expect(tries).toBe(4)
  })

  test('a POST without an idempotency key is sent once: it may have been heard', async () => {
    const busy = serve({ submitTask: overloaded(), cancelTask: overloaded() })
    const { client } = clientOf(busy.url)
    await errorOf(client.call(routes.submitTask, { body }))
    await errorOf(client.call(routes.cancelTask, { params }))
    expect(busy.requests).toHaveLength(2)
    let tries = 0
    const broken = (async () => {
      tries++
      throw new TypeError('cut')
    }) as unknown as typeof fetch
    await errorOf(clientOf('http://x', { fetch: broken }).client.call(routes.submitTask, { body }))
    expect(tries).toBe(1)
  })

  test('a POST with an idempotency key is sent again', async () => {
    const { url, requests } = serve({ submitTask: overloaded() })
    await errorOf(
      clientOf(url).client.call(routes.submitTask, { body, headers: { 'idempotency-key': 'mine' } }),
    )
    expect(requests).toHaveLength(4)
  })

  test('a stream is sent once, bytes are sent again', async () => {
    const { url, requests } = serve({ putBlob: overloaded() })
    const { client } = clientOf(url)
    const given = { params: { digest: '0'.repeat(64) } }
    const stream = new Response('abc').body
    await errorOf(client.call(routes.putBlob, given, stream === null ? {} : { body: stream }))
    expect(requests).toHaveLength(1)
    await errorOf(client.call(routes.putBlob, given, { body: new Uint8Array(3) }))
    expect(requests).toHaveLength(5)
  })

  test('a server that never answers, or stops half-way, counts as nobody', async () => {
    const silent = listen(() => new Promise(() => {}))
    const { client } = clientOf(silent, { quietMsMax: 20, triesMax: 2 })
    expect(await errorOf(client.call(routes.getTask, { params }))).toBeInstanceOf(UnreachableError)
    const half = listen(
      () =>
        new Response(
          new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{')) }),
        ),
    )
    const other = clientOf(half, { quietMsMax: 20 })
    expect(await errorOf(other.client.call(routes.getTask, { params }))).toBeInstanceOf(UnreachableError)
  })

  test('an abort ends it at once, also between two tries', async () => {
    const { url, requests } = serve({ getTask: overloaded() })
    const stop = new AbortController()
    const wait = async (): Promise<void> => stop.abort(new Error('enough'))
    const { client } = clientOf(url, { wait })
    const error = await errorOf(client.call(routes.getTask, { params }, { signal: stop.signal }))
    expect((error as Error).message).toBe('enough')
    expect(requests).toHaveLength(1)
    expect(
      await errorOf(client.call(routes.getTask, { params }, { signal: AbortSignal.abort() })),
    ).toBeInstanceOf(Error)
    expect(requests).toHaveLength(1)
  })
})
