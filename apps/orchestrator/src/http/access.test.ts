/** Keys, audit log, policy and limits as they are met over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  type AuditPage,
  auditStart,
  type DenialPage,
  followChain,
  type KeyPage,
  type NewKey,
  type Problem,
  type Route,
  orchestratorRoutes as routes,
  type TaskView,
} from '@shardy/api'
import { sha256 } from '@shardy/crypto/native'
import fc from 'fast-check'
import { example, finish, problemOf, refused, submit } from '../../test/example.ts'
import { createFailingStore } from '../../test/failingStore.ts'
import { createManualClock } from '../../test/manualClock.ts'
import { openMemoryStore, startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { parseNetwork } from '../access/address.ts'
import { createLog } from '../log.ts'

let network: TestNetwork
beforeAll(async () => {
  network = await startTestNetwork()
})
afterAll(() => network.stop())

const json = async <T>(answer: Promise<Response>): Promise<T> => (await (await answer).json()) as T
const make = (order: object, apiKey = network.apiKey) => network.request('/v1/keys', { json: order, apiKey })
const order = { name: 'ci', roles: ['requester'] }
const unknownId = '0'.repeat(64)

describe('keys', () => {
  test('are made, used, listed without themselves, and revoked at once', async () => {
    const made = await json<NewKey>(make({ ...order, scopes: ['tasks:submit', 'tasks:read'] }))
    expect(made).toMatchObject({ name: 'ci', roles: ['requester'], state: 'active', requesterId: made.keyId })
    expect(made.scopes).toEqual(['tasks:submit', 'tasks:read'])
    const { taskId } = await submit(network, example().submission, { apiKey: made.key })
    expect(
      await refused(network.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST', apiKey: made.key })),
    ).toBe('missingScope')
    const listed = await (await network.request('/v1/keys')).text()
    expect(listed).toContain(made.keyId)
    expect(listed).not.toContain(made.key)
    const revoke = () => network.request(`/v1/keys/${made.keyId}/revoke`, { method: 'POST' })
    expect(await json<object>(revoke())).toMatchObject({ state: 'revoked', keyId: made.keyId })
    const problem = await problemOf(await network.request('/v1/tasks', { apiKey: made.key }))
    expect(problem.code).toBe('revokedApiKey')
    expect(await refused(revoke())).toBe('keyRevoked')
  })

  test('of one requester see the same tasks', async () => {
    const first = await json<NewKey>(make(order))
    const { taskId } = await submit(network, example().submission, { apiKey: first.key })
    const second = await json<NewKey>(make({ ...order, requesterId: first.requesterId }))
    await network.request(`/v1/keys/${first.keyId}/revoke`, { method: 'POST' })
    const task = await json<TaskView>(network.request(`/v1/tasks/${taskId}`, { apiKey: second.key }))
    expect(task.taskId).toBe(taskId)
  })

  test('say which scope is missing', async () => {
    const { key } = await json<NewKey>(make({ name: 'eyes', roles: ['auditor'] }))
    const problem = await problemOf(await network.request('/v1/keys', { apiKey: key }))
    expect(problem).toMatchObject({ code: 'missingScope', field: 'authorization', bound: 'keys:manage' })
    expect(problem.value).toContain('audit:read')
  })

  test('are refused by name', async () => {
    const cases: readonly (readonly [Promise<Response>, string, string])[] = [
      [make({ ...order, requesterId: unknownId }), 'unknownRequester', 'requesterId'],
      [make({ ...order, expiresAtMs: 1 }), 'invalidField', 'expiresAtMs'],
      [make({ ...order, scopes: ['keys:manage'] }), 'invalidField', 'scopes'],
      [network.request(`/v1/keys/${unknownId}/revoke`, { method: 'POST' }), 'unknownKey', 'keyId'],
    ]
    for (const [answer, code, field] of cases)
      expect(await problemOf(await answer)).toMatchObject({ code, field })
    const narrow = await json<NewKey>(make({ name: 'narrow', roles: ['admin'], scopes: ['keys:manage'] }))
    expect(await refused(make(order, narrow.key))).toBe('scopeExceeded')
  })

  test('leave one that manages keys, and expired ones say so', async () => {
    const clock = createManualClock()
    const own = await startTestNetwork({ clock })
    const page = await json<KeyPage>(own.request('/v1/keys'))
    const only = page.keys[0]?.keyId
    expect(await refused(own.request(`/v1/keys/${only}/revoke`, { method: 'POST' }))).toBe('lastAdminKey')
    const brief = { ...order, expiresAtMs: clock.nowMs() + 1_000 }
    const { key } = await json<NewKey>(own.request('/v1/keys', { json: brief }))
    expect((await own.request('/v1/tasks', { apiKey: key })).status).toBe(200)
    clock.advance(1_000)
    const late = await own.request('/v1/tasks', { apiKey: key })
    expect(late.headers.get('www-authenticate')).toBe('Bearer')
    expect(await refused(late)).toBe('expiredApiKey')
    await own.stop()
  })

  test('come in pages', async () => {
    const seen: string[] = []
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`
      const page: KeyPage = await json<KeyPage>(network.request(`/v1/keys?limit=2${query}`))
      seen.push(...page.keys.map(({ keyId }) => keyId))
      cursor = page.nextCursor
    }
    expect(new Set(seen).size).toBe(network.orchestrator.services.apiKeys.count())
  })
})

describe('the audit log', () => {
  test('has every privileged action, from where it came, in a chain that holds', async () => {
    const own = await startTestNetwork({ proxies: [parseNetwork('127.0.0.0/8') ?? never()] })
    await Promise.all([own.startWorker(), own.startWorker()])
    const headers = { 'x-forwarded-for': '198.51.100.7' }
    const made = await json<NewKey>(own.request('/v1/keys', { json: order, headers }))
    await own.request(`/v1/keys/${made.keyId}/revoke`, { method: 'POST' })
    const { deniedCount: _, ...rules } = await json<{ deniedCount: number }>(own.request('/v1/policy'))
    await own.request('/v1/policy', { method: 'PUT', json: rules })
    await own.request('/v1/policy/deny', { json: { programId: unknownId, reason: 'test' } })
    await own.request(`/v1/policy/deny/${unknownId}`, { method: 'DELETE' })
    const { taskId } = await submit(own)
    expect(await refused(own.request(`/v1/tasks/${taskId}x`, { method: 'DELETE' }))).toBe('invalidField')
    await finish(own, taskId)
    expect((await own.request(`/v1/tasks/${taskId}`, { method: 'DELETE' })).status).toBe(204)
    const page = await json<AuditPage>(own.request('/v1/audit'))
    expect(page.records.map(({ action, subject }) => [action, subject])).toEqual([
      ['keyCreated', expect.any(String)],
      ['keyCreated', made.keyId],
      ['keyRevoked', made.keyId],
      ['policyChanged', ''],
      ['programDenied', unknownId],
      ['programAllowed', unknownId],
      ['taskForgotten', taskId],
    ])
    expect(page.records[1]).toMatchObject({
      address: '198.51.100.7',
      actor: page.records[0]?.subject as string,
    })
    const start = { sequence: 0, hash: auditStart }
    expect(followChain(start, page.records, sha256)).toEqual({ ok: true, head: page.head })
    const [first, second] = await Promise.all([
      json<AuditPage>(own.request('/v1/audit?limit=3')),
      json<AuditPage>(own.request('/v1/audit?limit=1000&cursor=3')),
    ])
    expect([first.nextCursor, second.nextCursor]).toEqual(['3', undefined])
    expect([...first.records, ...second.records]).toEqual(page.records)
    await own.stop()
  })

  test('that cannot be written stops the action', async () => {
    const store = createFailingStore(await openMemoryStore())
    const own = await startTestNetwork({ store })
    await Promise.all([own.startWorker(), own.startWorker()])
    const { taskId } = await submit(own)
    await finish(own, taskId)
    store.fail('diskFull', 'audit')
    const acts: readonly (readonly [string, object])[] = [
      ['/v1/keys', { json: order }],
      ['/v1/policy/deny', { json: { programId: unknownId, reason: 'test' } }],
      [`/v1/tasks/${taskId}`, { method: 'DELETE' }],
    ]
    for (const [path, call] of acts) expect(await refused(own.request(path, call))).toBe('storageFull')
    store.mend()
    expect((await own.request(`/v1/tasks/${taskId}`)).status).toBe(200)
    expect((await json<AuditPage>(own.request('/v1/audit'))).head.sequence).toBe(1)
    await own.stop()
  })
})

describe('the policy', () => {
  const base = {
    enforced: true,
    kindsOff: [],
    programBytesMax: 65_536,
    complexityMax: 1e14,
    complexityPerMinuteMax: 1e15,
  }
  const put = (more: object) => network.request('/v1/policy', { method: 'PUT', json: { ...base, ...more } })
  const ask = () => network.request('/v1/tasks', { json: example().submission })

  const refusals: readonly (readonly [object, string, string])[] = [
    [{ kindsOff: ['program'] }, 'kindOff', 'kind'],
    [{ programBytesMax: 1 }, 'programTooLarge', 'program'],
    [{ complexityMax: 1 }, 'taskTooComplex', 'program'],
  ]
  for (const [more, code, field] of refusals) {
    test(`${JSON.stringify(more)} refuses with ${code}, and the switch lets it through`, async () => {
      expect((await put(more)).status).toBe(200)
      const problem = await problemOf(await ask())
      expect(problem).toMatchObject({ code, field })
      for (const part of [problem.value, problem.bound]) expect(part?.length).toBeGreaterThan(0)
      expect((await put({ ...more, enforced: false })).status).toBe(200)
      expect((await ask()).status).toBe(201)
      await put({})
    })
  }

  test('bounds the work of a minute', async () => {
    await put({ complexityPerMinuteMax: 1 })
    // The first may be more than the bound, and is owed for.
    expect((await ask()).status).toBe(201)
    const answer = await ask()
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused(answer)).toBe('workRateLimited')
    await put({})
  })

  test('denies programs, and a repeat of an accepted task is still answered', async () => {
    const { submission } = example()
    const headers = { 'idempotency-key': 'denied later' }
    const { programId, taskId } = await submit(network, submission, { headers })
    const denial = { programId, reason: 'burns devices' }
    expect(await json<object>(network.request('/v1/policy/deny', { json: denial }))).toMatchObject(denial)
    const problem = await problemOf(await ask())
    expect(problem).toMatchObject({ code: 'programDenied', field: 'program', value: programId })
    expect(problem.detail).toContain('burns devices')
    expect((await submit(network, submission, { headers })).taskId).toBe(taskId)
    const page = await json<DenialPage>(network.request('/v1/policy/deny?limit=1'))
    expect(page.denied).toMatchObject([denial])
    const allow = () => network.request(`/v1/policy/deny/${programId}`, { method: 'DELETE' })
    expect((await allow()).status).toBe(204)
    expect(await refused(allow())).toBe('notDenied')
    expect((await ask()).status).toBe(201)
  })
})

describe('limits', () => {
  const tight = { perSecond: 1, burst: 2 }
  const cases: readonly (readonly [string, (own: TestNetwork) => Promise<Response>])[] = [
    ['submit.key', (own) => own.request('/v1/tasks', { json: example().submission })],
    ['submit.address', (own) => own.request('/v1/tasks', { json: example().submission })],
    ['read.key', (own) => own.request('/v1/tasks')],
    ['read.address', (own) => own.request('/v1/health', { anonymous: true })],
    ['read.address', (own) => own.request('/nothing', { anonymous: true })],
    ['read.address', (own) => own.request('/openapi.json', { anonymous: true })],
    ['read.address', (own) => own.request('/v1/tasks', { apiKey: 'guessed' })],
    ['open.address', (own) => own.request('/v1/worker', { anonymous: true })],
  ]
  for (const [name, ask] of cases) {
    test(`${name} answers 429 with Retry-After, and goes on when that is over`, async () => {
      const clock = createManualClock()
      const own = await startTestNetwork({ clock, limits: { [name]: tight } })
      const first = [await ask(own), await ask(own)]
      expect(first.some(({ status }) => status === 429)).toBe(false)
      const answer = await ask(own)
      expect(answer.headers.get('retry-after')).toBe('1')
      const problem = await problemOf(answer)
      expect(problem).toMatchObject({ code: 'rateLimited', field: name, retryAfterMs: 1_000 })
      expect(problem.bound).toMatch(/^1 \w+ per second, 2 at once$/)
      clock.advance(1_000)
      expect((await ask(own)).status).not.toBe(429)
      await own.stop()
    })
  }

  test('count bytes both ways, and a HEAD none', async () => {
    const clock = createManualClock()
    const own = await startTestNetwork({
      clock,
      limits: { 'blobBytes.key': { perSecond: 100, burst: 1_000 } },
    })
    const bytes = new Uint8Array(900)
    const path = `/v1/blobs/${sha256(bytes).toHex()}`
    expect((await own.request(path, { method: 'PUT', body: bytes })).status).toBe(201)
    for (let index = 0; index < 3; index++)
      expect((await own.request(path, { method: 'HEAD' })).status).toBe(200)
    // A tenth of the burst is left: enough to begin, and the rest is owed.
    expect((await own.request(path)).status).toBe(200)
    const problem = await problemOf(await own.request(path))
    expect(problem).toMatchObject({ code: 'rateLimited', field: 'blobBytes.key', retryAfterMs: 8_010 })
    expect(await refused(own.request(path, { method: 'PUT', body: bytes }))).toBe('rateLimited')
    clock.advance(8_010)
    expect((await own.request(path)).status).toBe(200)
    await own.stop()
  })

  test('count the bytes of an output, and none for its HEAD', async () => {
    const own = await startTestNetwork({ limits: { 'blobBytes.key': { perSecond: 1, burst: 100 } } })
    await Promise.all([own.startWorker(), own.startWorker()])
    const { taskId } = await submit(own)
    expect((await finish(own, taskId)).outputLength).toBe(84)
    const ask = (method: string) => own.request(`/v1/tasks/${taskId}/output`, { method })
    for (let index = 0; index < 10; index++) expect((await ask('HEAD')).status).toBe(200)
    expect([(await ask('GET')).status, (await ask('GET')).status]).toEqual([200, 200])
    expect(await refused(ask('GET'))).toBe('rateLimited')
    await own.stop()
  })

  test('count the bytes of an upload that announced none', async () => {
    const limit = { perSecond: 1, burst: 1_000 }
    const own = await startTestNetwork({ clock: createManualClock(), limits: { 'blobBytes.key': limit } })
    const bytes = new Uint8Array(3_000)
    const put = (body: RequestInit['body'], content: Uint8Array) =>
      own.request(`/v1/blobs/${sha256(content).toHex()}`, { method: 'PUT', body: body ?? null })
    const chunks = [bytes.subarray(0, 1_000), bytes.subarray(1_000)]
    const stream = new ReadableStream<Uint8Array>({
      pull(to) {
        const chunk = chunks.shift()
        if (chunk === undefined) to.close()
        else to.enqueue(chunk)
      },
    })
    expect((await put(stream, bytes)).status).toBe(201)
    const problem = await problemOf(await put(new Uint8Array(1), new Uint8Array(1)))
    expect(problem.retryAfterMs).toBe(2_002_000)
    await own.stop()
  })

  test('are counted for who stands behind a trusted proxy, and for nobody’s claim', async () => {
    const limits = { 'read.address': tight }
    const clock = createManualClock()
    const ask = (own: TestNetwork, client: string) =>
      own.request('/v1/health', { anonymous: true, headers: { 'x-forwarded-for': client } })
    const trusting = await startTestNetwork({
      clock,
      limits,
      proxies: [parseNetwork('127.0.0.1') ?? never()],
    })
    for (let index = 0; index < 5; index++)
      expect((await ask(trusting, `198.51.100.${index}`)).status).toBe(200)
    await trusting.stop()
    const plain = await startTestNetwork({ clock, limits })
    const statuses: number[] = []
    for (let index = 0; index < 4; index++) statuses.push((await ask(plain, `198.51.100.${index}`)).status)
    expect(statuses).toEqual([200, 200, 429, 429])
    await plain.stop()
  })
})

function never(): never {
  throw new Error('not a network')
}

describe('any value in any field', () => {
  const hostile = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>(
      '',
      ' ',
      -1,
      0,
      1.5,
      2 ** 53,
      1e308,
      '\0',
      '\ud800',
      '\u202e',
      '__proto__',
      [[]],
      {},
      ['admin', 'admin'],
    ),
    fc.string({ unit: 'binary', maxLength: 400 }),
  )
  const bodies: readonly (readonly [string, string, object])[] = [
    ['POST', '/v1/keys', { ...order, scopes: ['tasks:read'], requesterId: unknownId, expiresAtMs: 9e15 }],
    [
      'PUT',
      '/v1/policy',
      { enforced: false, kindsOff: [], programBytesMax: 1, complexityMax: 1, complexityPerMinuteMax: 1 },
    ],
    ['POST', '/v1/policy/deny', { programId: 'ee'.repeat(32), reason: 'test' }],
  ]
  for (const [method, path, good] of bodies) {
    test(`${method} ${path} answers with a success or a problem that names the field`, async () => {
      const own = await startTestNetwork()
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...Object.keys(good), 'other'), hostile, async (name, value) => {
          const answer = await own.request(path, { method, json: { ...good, [name]: value } })
          expect([200, 201, 404, 422]).toContain(answer.status)
          if (answer.ok) return
          const problem = (await answer.json()) as Problem
          expect(problem.field?.length).toBeGreaterThan(0)
          expect(JSON.stringify(problem).length).toBeLessThan(2_000)
        }),
        { numRuns: 200 },
      )
      expect((await own.request('/v1/audit')).status).toBe(200)
      expect(own.fatal).toEqual([])
      await own.stop()
    })
  }

  test('of the address and the query', async () => {
    const paths = [
      (text: string) => `/v1/keys/${text}/revoke`,
      (text: string) => `/v1/policy/deny/${text}`,
      (text: string) => `/v1/audit?cursor=${text}`,
      (text: string) => `/v1/audit?limit=${text}`,
      (text: string) => `/v1/keys?cursor=${text}`,
      (text: string) => `/v1/keys?limit=${text}`,
      (text: string) => `/v1/policy/deny?cursor=${text}`,
      (text: string) => `/v1/policy/deny?${text}`,
    ]
    const methods = ['POST', 'DELETE', 'GET', 'GET', 'GET', 'GET', 'GET', 'GET']
    await fc.assert(
      fc.asyncProperty(
        fc.nat(paths.length - 1),
        fc.string({ unit: 'binary', maxLength: 80 }),
        async (index, text) => {
          const path = paths[index]?.(encodeURIComponent(text.toWellFormed())) ?? ''
          const answer = await network.request(path, { method: methods[index] ?? 'GET' })
          expect([200, 404, 405, 422]).toContain(answer.status)
          await answer.body?.cancel()
        },
      ),
      { numRuns: 300 },
    )
  })

  const wrong: readonly (readonly [string, string, object, string])[] = [
    ['POST', '/v1/keys', { roles: ['requester'] }, 'name'],
    ['POST', '/v1/keys', { ...order, name: '' }, 'name'],
    ['POST', '/v1/keys', { ...order, name: 'x'.repeat(65) }, 'name'],
    ['POST', '/v1/keys', { ...order, name: 'ключ' }, 'name'],
    ['POST', '/v1/keys', { ...order, roles: [] }, 'roles'],
    ['POST', '/v1/keys', { ...order, roles: ['root'] }, 'roles.0'],
    ['POST', '/v1/keys', { ...order, roles: ['admin', 'admin'] }, 'roles'],
    ['POST', '/v1/keys', { ...order, scopes: [] }, 'scopes'],
    ['POST', '/v1/keys', { ...order, scopes: ['*'] }, 'scopes.0'],
    ['POST', '/v1/keys', { ...order, requesterId: 'me' }, 'requesterId'],
    ['POST', '/v1/keys', { ...order, expiresAtMs: -1 }, 'expiresAtMs'],
    ['POST', '/v1/keys', { ...order, key: 'mine' }, 'key'],
    ['POST', '/v1/policy/deny', { programId: 'AB'.repeat(32), reason: 'x' }, 'programId'],
    ['POST', '/v1/policy/deny', { programId: unknownId, reason: '' }, 'reason'],
    ['PUT', '/v1/policy', { enforced: true }, 'kindsOff'],
  ]
  for (const [method, path, body, field] of wrong) {
    test(`${path} ${JSON.stringify(body).slice(0, 70)} names ${field}`, async () => {
      const problem = await problemOf(await network.request(path, { method, json: body }))
      expect(problem).toMatchObject({ code: 'invalidField', field })
    })
  }
})

test('no key is ever in a log, whatever is asked with it and however it fails', async () => {
  const lines: string[] = []
  // Everything that can be said, and what is said of an error is said with its stack.
  const log = createLog((line) => lines.push(line), Date.now, { level: 'debug' })
  const copied = await openMemoryStore()
  const store = createFailingStore(copied)
  const own = await startTestNetwork({ log, store, copied })
  const made = await json<NewKey>(own.request('/v1/keys', { json: order }))
  const secrets = [own.apiKey, made.key, `shardy_${'5a'.repeat(32)}`, 'not-of-our-form-4711']
  for (const failing of [false, true]) {
    if (failing) store.fail('failed', 'tasks', 'blobs', 'apiKeys', 'audit', 'policy', 'deniedPrograms')
    for (const secret of secrets) {
      for (const route of Object.values(routes) as Route[]) {
        const { method } = route
        const hasBody = method === 'POST' || method === 'PUT'
        for (const word of ['0'.repeat(64), '0'.repeat(32), secret]) {
          const path = route.path.replace(/:\w+/g, word)
          const body = hasBody ? JSON.stringify({ ...order, ...example().submission, reason: secret }) : null
          const headers = {
            'content-type': 'application/json',
            'x-request-id': secret,
            'x-forwarded-for': secret,
          }
          const query = method === 'GET' ? `?cursor=${secret}` : ''
          const answer = await own.request(path + query, { method, apiKey: secret, headers, body })
          await answer.body?.cancel()
        }
      }
      await own.request('/v1/keys', { json: { ...order, name: 'more' }, apiKey: secret })
      await own.request('/v1/tasks', { json: example().submission, apiKey: secret })
      await own.request(`/${secret}`, { apiKey: secret })
      await own.request('/v1/policy/deny', { json: { programId: unknownId, reason: 'x' }, apiKey: secret })
    }
  }
  await own.stop()
  expect(lines.length).toBeGreaterThan(0)
  const said = lines.join('\n')
  for (const secret of secrets) expect(said).not.toContain(secret)
})
