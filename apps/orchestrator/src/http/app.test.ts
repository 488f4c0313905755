import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { type Problem, orchestratorRoutes as routes } from '@shardy/api'
import fc from 'fast-check'
import { example, problemOf, refused, submit } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { openRawLine, sendRaw } from '../../test/rawHttp.ts'
import { tables } from '../tables.ts'
import { createApp } from './app.ts'
import type { Page } from './page.ts'

const page: Page = new Map([
  ['/index.html', { content: new Blob(['<!doctype html>']), type: 'text/html; charset=utf-8' }],
  ['/assets/main-abc.js', { content: new Blob(['1']), type: 'text/javascript; charset=utf-8' }],
])

let network: TestNetwork

beforeAll(async () => {
  network = await startTestNetwork({ page })
})
afterAll(() => network.stop())
afterEach(async () => {
  expect((await network.request('/v1/health', { anonymous: true })).status).toBe(200)
  expect(network.fatal).toEqual([])
})

const raw = (request: string) => sendRaw(network.serving.port, request)
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])

describe('addresses and methods', () => {
  test('what is nowhere is an unknown route', async () => {
    for (const path of ['/v1', '/v1/task', '/v1/tasks/a/b/c', '/V1/HEALTH', '/v1/blobs', '/nothing']) {
      expect(await refused(network.request(path))).toBe('unknownRoute')
    }
  })

  const wrongMethods: readonly (readonly [string, string, string])[] = [
    ['DELETE', '/v1/tasks', 'POST, GET'],
    ['PUT', '/v1/tasks', 'POST, GET'],
    ['OPTIONS', '/v1/tasks', 'POST, GET'],
    ['PATCH', `/v1/tasks/${'0'.repeat(32)}`, 'GET, DELETE'],
    ['GET', `/v1/tasks/${'0'.repeat(32)}/cancel`, 'POST'],
    ['POST', `/v1/tasks/${'0'.repeat(32)}/receipt`, 'GET'],
    ['POST', `/v1/blobs/${'0'.repeat(64)}`, 'PUT, GET, HEAD'],
    ['DELETE', `/v1/blobs/${'0'.repeat(64)}`, 'PUT, GET, HEAD'],
    ['POST', '/v1/health', 'GET'],
    ['POST', '/openapi.json', 'GET'],
    ['OPTIONS', '/openapi.json', 'GET'],
  ]
  for (const [method, path, allowed] of wrongMethods) {
    test(`${method} ${path.slice(0, 24)} is 405 and says what is allowed`, async () => {
      const answer = await network.request(path, { method })
      expect(answer.headers.get('allow')).toBe(allowed)
      expect(await refused(answer)).toBe('methodNotAllowed')
    })
  }

  test('a method that nobody knows is refused', async () => {
    for (const method of ['TRACE', 'CONNECT', 'LINK']) {
      const answer = await raw(`${method} /v1/tasks HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      expect([400, 404, 405, Number.NaN]).toContain(statusOf(answer))
    }
  })

  test('HEAD is GET without the body', async () => {
    const { taskId } = await submit(network)
    for (const path of [
      '/v1/health',
      '/v1/tasks',
      `/v1/tasks/${taskId}`,
      '/openapi.json',
      '/',
      '/index.html',
    ]) {
      const [head, whole] = [await network.request(path, { method: 'HEAD' }), await network.request(path)]
      expect(head.status).toBe(200)
      expect(head.headers.get('content-type')).toBe(whole.headers.get('content-type'))
      expect(await head.text()).toBe('')
      await whole.body?.cancel()
    }
    const unknown = await network.request(`/v1/tasks/${'0'.repeat(32)}`, { method: 'HEAD' })
    expect([unknown.status, await unknown.text()]).toEqual([404, ''])
  })

  test('the worker address without an upgrade says what it is for', async () => {
    const answer = await network.request('/v1/worker')
    expect([answer.status, answer.headers.get('upgrade')]).toEqual([426, 'websocket'])
  })

  test('the contract is served, with every route in it', async () => {
    const document = (await (await network.request('/openapi.json', { anonymous: true })).json()) as {
      openapi: string
      paths: Record<string, unknown>
    }
    expect(document.openapi).toBe('3.1.0')
    const paths = new Set(Object.values(routes).map(({ path }) => path.replace(/:(\w+)/g, '{$1}')))
    expect(Object.keys(document.paths).sort()).toEqual([...paths].sort())
  })
})

describe('the page', () => {
  test('is served with types, and assets for ever', async () => {
    const index = await network.request('/')
    expect(index.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(index.headers.get('cache-control')).toBe('no-cache')
    const asset = await network.request('/assets/main-abc.js')
    expect(asset.headers.get('cache-control')).toContain('immutable')
  })

  test('nothing outside it is', async () => {
    const paths = [
      '/../package.json',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/..%2f..%2fetc%2fpasswd',
      '/assets/../../package.json',
      '/assets/..\\..\\package.json',
      '/index.html%00.js',
      '/index.html/',
      '//etc/passwd',
      '/file:///etc/passwd',
      '/api-key',
      '/__proto__',
      '/constructor',
    ]
    for (const path of paths) {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      expect([400, 404]).toContain(statusOf(answer))
      expect(answer).not.toContain('root:')
    }
  })

  test('that is not built says how to build it', async () => {
    const bare = await startTestNetwork()
    const answer = await bare.request('/')
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('npm start')])
    expect(await refused(bare.request('/index.html'))).toBe('unknownRoute')
    await bare.stop()
  })
})

test('every response isolates the page', async () => {
  const { taskId } = await submit(network)
  const answers = await Promise.all([
    network.request('/'),
    network.request('/assets/main-abc.js'),
    network.request('/nothing'),
    network.request('/v1/worker'),
    network.request('/v1/health'),
    network.request('/openapi.json'),
    network.request('/v1/tasks', { anonymous: true }),
    network.request('/v1/tasks', {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    }),
    network.request(`/v1/tasks/${taskId}/events`),
    network.request(`/v1/blobs/${'0'.repeat(64)}`, { method: 'PUT', body: 'x' }),
    network.request('/v1/tasks', { method: 'OPTIONS' }),
  ])
  for (const { headers, body } of answers) {
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    await body?.cancel()
  }
  for (const request of [
    'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n',
    'PUT /v1/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n',
  ]) {
    expect((await raw(request)).toLowerCase()).toContain('cross-origin-opener-policy: same-origin')
  }
})

describe('API keys', () => {
  test('are needed everywhere but for health, the contract, and what a delivery opens', async () => {
    for (const { method, path, scope } of Object.values(routes)) {
      const auth = scope !== 'public'
      const address = path.replace(/:(taskId|deliveryId)/, '0'.repeat(32)).replace(/:\w+/, '0'.repeat(64))
      const answer = await network.request(address, { method, anonymous: true })
      if (path.includes('/deliveries/')) expect(await refused(answer)).toBe('unknownDelivery')
      else if (!auth) expect(answer.status).toBe(200)
      else if (method === 'HEAD') expect(answer.status).toBe(401)
      else expect(await refused(answer)).toBe('missingApiKey')
      if (auth) expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    }
  })

  test('that are wrong or malformed are refused alike', async () => {
    const { apiKey } = network
    const headers = [
      'Bearer',
      'Bearer ',
      'Basic YTpi',
      apiKey,
      `bearer ${apiKey}`,
      `Bearer  ${apiKey}`,
      `Bearer ${apiKey} `.padEnd(90, 'x'),
      `Bearer ${apiKey.slice(0, -1)}`,
      `Bearer ${apiKey}0`,
      `Bearer ${apiKey.toUpperCase()}`,
      `Bearer ${'x'.repeat(100_00)}`,
      `Bearer ${apiKey}, Bearer ${apiKey}`,
    ]
    for (const authorization of headers) {
      expect(await refused(network.request('/v1/tasks', { headers: { authorization } }))).toBe('badApiKey')
    }
  })

  test('are nowhere in the store, and each is a requester of its own', async () => {
    const { store } = network
    const { apiKeys } = network.orchestrator.services
    const keys = [network.apiKey, await apiKeys.create('another')]
    expect(apiKeys.count()).toBe(2)
    expect(new Set(keys.map(apiKeys.requester)).size).toBe(2)
    let rows = 0
    for (const table of tables) {
      for await (const { key, value } of store.iterate(table)) {
        rows++
        const bytes = Buffer.concat([key, value])
        for (const secret of keys) {
          expect(bytes.includes(secret)).toBe(false)
          expect(bytes.includes(Buffer.from(secret.replace('shardy_', ''), 'hex'))).toBe(false)
        }
      }
    }
    expect(rows).toBeGreaterThan(2)
  })

  test('are known again after a restart', async () => {
    const { orchestrator } = await startTestNetwork({ store: network.store, blobs: network.blobs }).then(
      async (again) => {
        await again.stop()
        return again
      },
    )
    expect(orchestrator.services.apiKeys.requester(network.apiKey)).toBeDefined()
  })
})

describe('bodies', () => {
  const json = { 'content-type': 'application/json' }
  const post = (
    body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
    headers: Record<string, string> = json,
  ) => network.request('/v1/tasks', { method: 'POST', body, headers })

  test('that are not JSON are refused', async () => {
    const bodies = ['', '{', 'null x', "{'a':1}", '\0', '[', '"\\ud800', '{"a":1}}', '\ufeff']
    for (const body of bodies) expect(await refused(post(body))).toBe('malformedJson')
    expect(await refused(post(new Uint8Array([0x22, 0xff, 0xfe, 0x22])))).toBe('malformedJson')
  })

  test('of another type are refused', async () => {
    const body = JSON.stringify(example().submission)
    for (const type of [
      'text/plain',
      'application/jsonx',
      'multipart/form-data',
      'application/octet-stream',
    ]) {
      expect(await refused(post(body, { 'content-type': type }))).toBe('unsupportedMediaType')
    }
    expect(await refused(post(new Uint8Array(3), {}))).toBe('unsupportedMediaType')
    expect((await post(body, { 'content-type': 'Application/JSON; charset=utf-8' })).status).toBe(201)
  })

  test('that are too large are refused, declared or not', async () => {
    const large = new Uint8Array(2 * 1024 * 1024 + 1).fill(0x20)
    expect(await refused(post(large))).toBe('bodyTooLarge')
    const endless = new ReadableStream<Uint8Array>({ pull: (to) => to.enqueue(large.slice(0, 64 * 1024)) })
    expect(await refused(post(endless))).toBe('bodyTooLarge')
    const line = openRawLine(network.serving.port)
    const { apiKey } = network
    line.write(
      `POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${apiKey}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${10 ** 15}\r\n\r\n`,
    )
    line.write(large)
    expect(await line.heads(1)).toContain('bodyTooLarge')
    line.socket.destroy()
  })

  test('nested without end, or with a million fields, are refused', async () => {
    expect(await refused(post('['.repeat(1_000_000)))).toBe('malformedJson')
    expect(await refused(post('['.repeat(1000) + ']'.repeat(1000)))).toBe('malformedJson')
    expect(await refused(post('['.repeat(60) + ']'.repeat(60)))).toBe('invalidField')
    const wide = JSON.stringify(
      Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`f${index}`, 0])),
    )
    expect(await refused(post(wide))).toBe('invalidField')
    expect(await refused(post('{"__proto__":{"kind":"program"}}'))).toBe('invalidField')
  })

  test('whose line is cut leave nothing behind', async () => {
    const line = openRawLine(network.serving.port)
    line.write(
      `POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${network.apiKey}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"kind":',
    )
    await line.break()
  })

  test('the largest inline input is taken', async () => {
    const n = 1024 * 1024 - 1
    const base64 = new Uint8Array(n + 1).toBase64()
    const program = { op: 'matmul', m: 1, k: 1, n } as const
    expect((await submit(network, { kind: 'program', program, input: { base64 } })).input.length).toBe(n + 1)
    const more = { kind: 'program', program, input: { base64: new Uint8Array(n + 4).toBase64() } }
    expect(await refused(network.request('/v1/tasks', { json: more }))).toBe('invalidField')
  })
})

describe('hostile requests', () => {
  const hosts = [
    'a b',
    '[::1',
    'x',
    'ab',
    'abc',
    'a:99999999',
    '%',
    '\u00e9',
    '..',
    '@',
    'a/b',
    '#',
    '?',
    '"<script>',
  ]
  for (const host of hosts) {
    test(`a host ${JSON.stringify(host)} is answered without a page of ours`, async () => {
      const answer = await raw(`GET /v1/health HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      expect([200, 400, 403, 404, 422]).toContain(statusOf(answer))
      expect(answer).not.toContain('<html')
    })
  }

  test('a host of one letter gets to every route', async () => {
    const app = createApp(network.orchestrator.services, { version: '0', store: 'memory' })
    const headers = { authorization: `Bearer ${network.apiKey}` }
    expect((await app(new Request('http://x/v1/tasks', { headers }))).status).toBe(200)
  })

  test('a page from elsewhere neither becomes a worker nor reads anything', async () => {
    const lines = 'Host: localhost\r\nOrigin: http://evil.example\r\n'
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    expect(statusOf(await raw(`GET /v1/worker HTTP/1.1\r\n${lines}${upgrade}\r\n`))).toBe(403)
    expect(statusOf(await raw(`GET /v1/health HTTP/1.1\r\n${lines}\r\n`))).toBe(403)
    expect(statusOf(await raw('GET /v1/health HTTP/1.1\r\nHost: evil.example\r\n\r\n'))).toBe(403)
  })

  const lines = [
    '\0\r\n\r\n',
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'GET /v1/health HTTP/1.1\r\n\r\n',
    'GET http://[::/ HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n',
    `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(1_000_000)}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: localhost\r\n${'X: y\r\n'.repeat(10_000)}\r\n`,
    'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
    'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}',
    'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n',
  ]
  for (const [index, line] of lines.entries()) {
    test(`a malformed request (${index}) is refused or dropped`, async () => {
      expect([200, 400, 401, 404, 405, 413, 414, 422, 431, 505, Number.NaN]).toContain(
        statusOf(await raw(line)),
      )
    })
  }

  test('no header of ours repeats what was asked', async () => {
    const answer = await raw(
      'GET /v1/%0d%0aset-cookie:%20a=b HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: evil\r\n\r\n',
    )
    expect(answer.split('\r\n\r\n')[0]?.toLowerCase()).not.toContain('set-cookie')
  })
})

describe('any value in any field', () => {
  const nasty = fc.oneof(
    fc.anything({ withBigInt: false, withNullPrototype: true, maxDepth: 3 }),
    fc.constantFrom(
      -1,
      0,
      1.5,
      2 ** 53,
      1e308,
      '',
      '-0',
      '0x10',
      '1e9',
      '00',
      ' 1',
      '\0',
      '\ud800',
      '\u202e',
      "'; drop table tasks; --",
      '../../../etc/passwd',
      '<script>',
      '$(id)',
      '%s%n',
      null,
      [],
      {},
      [[]],
      { __proto__: 1 },
      'a'.repeat(5_000),
    ),
  )
  const fields = [
    ['kind'],
    ['program'],
    ['program', 'op'],
    ['program', 'm'],
    ['program', 'k'],
    ['program', 'n'],
    ['program', 'extra'],
    ['input'],
    ['input', 'base64'],
    ['input', 'blob'],
    ['seed'],
    ['redundancy'],
    ['rewardMicroCredit'],
    ['timeoutMs'],
    ['output'],
    ['extra'],
    ['constructor'],
    ['__proto__'],
  ] as const

  const known = (problem: Problem) => expect(problem.code).not.toBe('internal')

  test('of a submission gives a task or a problem that names a field', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...fields), nasty, async ([first, second], value) => {
        const { submission } = example()
        const at = second === undefined ? first : second
        const owner = second === undefined ? submission : { ...(submission[first as 'program'] as object) }
        const changed = { ...owner }
        Object.defineProperty(changed, at, { value, enumerable: true, configurable: true, writable: true })
        const json = second === undefined ? changed : { ...submission, [first]: changed }
        const answer = await network.request('/v1/tasks', { json })
        if (answer.ok) return void (await answer.body?.cancel())
        expect(answer.status).toBeLessThan(500)
        known(await problemOf(answer))
      }),
      { numRuns: 400, seed: 7 },
    )
  })

  test('of a path, a query or a header gives an answer below 500', async () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 70 }),
      fc.string({ maxLength: 70 }),
      fc.constantFrom(
        '..',
        '.',
        '%',
        '%00',
        '%2e%2e',
        '\u0000',
        '0'.repeat(32),
        '0'.repeat(64),
        '?',
        '#',
        '/',
      ),
    )
    const places = [
      'tasks/',
      'blobs/',
      'tasks/@/events',
      'tasks/@/receipt',
      'tasks?limit=',
      'tasks?cursor=',
      'tasks?status=',
      'tasks?',
    ] as const
    const methods = ['GET', 'HEAD', 'DELETE', 'PUT', 'POST', 'OPTIONS'] as const
    const names = [
      'last-event-id',
      'range',
      'content-range',
      'idempotency-key',
      'content-type',
      'authorization',
      'if-match',
      'expect',
      'upgrade',
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...places),
        word,
        fc.constantFrom(...methods),
        fc.constantFrom(...names),
        fc.string({ maxLength: 40 }),
        fc.boolean(),
        async (place, value, method, name, content, escaped) => {
          const shown = escaped ? encodeURIComponent(value.toWellFormed()) : value.toWellFormed()
          const path = place.includes('@') ? place.replace('@', shown) : `${place}${shown}`
          const headers = { [name]: content.replace(/[^\x20-\x7e]/g, '').trim() }
          const answer = await network.request(`/v1/${path}`, { method, headers })
          expect(answer.status).toBeLessThan(500)
          await answer.body?.cancel()
        },
      ),
      { numRuns: 400, seed: 11 },
    )
  }, 30_000)
})
