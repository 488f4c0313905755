/** Requests of every kind of badness against a real server: each gets a problem with a stable code, none breaks it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { serveRoutes, type TestServer, testApiKey } from '../test/server.ts'
import { type ErrorCode, errors } from './errors.ts'
import type { Problem } from './problem.ts'
import { jsonBytesMax } from './validation.ts'

const id = '0a'.repeat(16)
const digest = '0b'.repeat(32)
const good = {
  kind: 'program',
  program: { op: 'matmul', m: 2, k: 2, n: 2 },
  input: { base64: 'AAAAAAAAAAA=' },
}
let server: TestServer
let reached: unknown[]

beforeAll(() => {
  reached = []
  const reach = (parsed: unknown) => {
    reached.push(parsed)
    return new Response('reached')
  }
  server = serveRoutes({
    submitTask: reach,
    listTasks: reach,
    getTask: reach,
    taskEvents: reach,
    putBlob: reach,
    getBlob: reach,
  })
})
afterAll(() => server.close())

interface Answer {
  readonly status: number
  readonly problem: Problem | undefined
}

async function send(path: string, init: RequestInit = {}): Promise<Answer> {
  const headers = new Headers(init.headers)
  headers.set('authorization', `Bearer ${testApiKey}`)
  const response = await fetch(server.url + path, { ...init, headers })
  const isProblem = response.headers.get('content-type') === 'application/problem+json'
  const text = await response.text()
  return { status: response.status, problem: isProblem ? (JSON.parse(text) as Problem) : undefined }
}

const submit = (
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  send('/v1/tasks', { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
const submitJson = (body: unknown): Promise<Answer> => submit(JSON.stringify(body))

/** A refusal names what was wrong: always a code, a status, a detail; for a field also its value and bound. */
function expectRefusal({ status, problem }: Answer, code: ErrorCode): Problem {
  expect(problem?.code).toBe(code)
  expect(status).toBe(errors[code].status)
  expect(problem?.detail.length).toBeGreaterThan(0)
  if (code === 'invalidField') {
    for (const part of [problem?.field, problem?.value, problem?.bound])
      expect(part?.length).toBeGreaterThan(0)
    expect(problem?.detail).toContain(problem?.field ?? '?')
    expect(problem?.detail).toContain(problem?.value ?? '?')
  }
  return problem as Problem
}

test('what is right reaches its handler, parsed', async () => {
  const full = {
    ...good,
    seed: '18446744073709551615',
    verify: 'quorum(7,5)',
    proof: 'v2',
    priority: 9,
    tierMin: 3,
    features: ['shader-f16'],
    region: 'eu-1',
    rewardMicroCredit: '0',
    timeoutMs: 1000,
    output: 'digest',
  }
  for (const body of [good, full, { ...good, input: { blob: digest } }]) {
    expect((await submitJson(body)).status).toBe(200)
    expect(reached.at(-1)).toMatchObject({ body })
  }
  expect((await submit(JSON.stringify(good), { 'idempotency-key': 'mine' })).status).toBe(200)
  expect(reached.at(-1)).toMatchObject({ headers: { 'idempotency-key': 'mine' } })
  expect(
    (await submit(JSON.stringify(good), { 'content-type': 'application/json; charset=utf-8' })).status,
  ).toBe(200)
  expect((await send(`/v1/tasks?status=dead&limit=200&cursor=${'ab'.repeat(24)}`)).status).toBe(200)
})

test('the largest inline input is taken: 1 MiB in base64', async () => {
  const base64 = 'A'.repeat(Math.ceil((1024 * 1024) / 3) * 4 - 2).concat('==')
  expect((await submitJson({ ...good, input: { base64 } })).status).toBe(200)
  const more = expectRefusal(
    await submitJson({ ...good, input: { base64: `AAAA${base64}` } }),
    'invalidField',
  )
  expect(more.field).toBe('input.base64')
  expect(more.value?.length).toBeLessThan(200)
})

describe('a field of the submission', () => {
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['kind', { ...good, kind: 'heavy' }, /"program"/],
    ['program', { ...good, program: 'matmul' }, /an object with op, m, k, n/],
    ['program.op', { ...good, program: { ...good.program, op: 'add' } }, /"matmul"/],
    ['program.m', { ...good, program: { ...good.program, m: 0 } }, /integer from 1 to 2147483647/],
    ['program.k', { ...good, program: { ...good.program, k: 2 ** 31 } }, /integer from 1 to/],
    ['program.n', { ...good, program: { ...good.program, n: 1.5 } }, /integer/],
    ['program.m', { ...good, program: { ...good.program, m: '2' } }, /integer/],
    ['program.x', { ...good, program: { ...good.program, x: 1 } }, /no such field/],
    ['input', { ...good, input: null }, /an object with base64 or an object with blob/],
    ['input', { ...good, input: {} }, /an object with base64 or an object with blob/],
    ['input.base64', { ...good, input: { base64: '***' } }, /text of at most \d+ characters that matches/],
    ['input.base64', { ...good, input: { base64: 'AAA' } }, /matches/],
    ['input.base64', { ...good, input: { base64: 7 } }, /text/],
    ['input.blob', { ...good, input: { blob: 'B'.repeat(64) } }, /matches/],
    ['input.blob', { ...good, input: { base64: 'AAAA', blob: digest } }, /no such field/],
    ['seed', { ...good, seed: 7 }, /matches/],
    ['seed', { ...good, seed: '07' }, /matches/],
    ['seed', { ...good, seed: '-1' }, /matches/],
    ['redundancy', { ...good, redundancy: 0 }, /integer from 1 to 7/],
    ['redundancy', { ...good, redundancy: 8 }, /integer from 1 to 7/],
    ['verify', { ...good, verify: 'checked'.repeat(3) }, /at most 16 characters/],
    ['verify', { ...good, verify: 2 }, /text/],
    ['proof', { ...good, proof: 'v4' }, /"v2"/],
    ['priority', { ...good, priority: 10 }, /integer from 0 to 9/],
    ['priority', { ...good, priority: -1 }, /integer from 0 to 9/],
    ['tierMin', { ...good, tierMin: 4 }, /integer from 0 to 3/],
    ['features', { ...good, features: 'shader-f16' }, /array/],
    ['features', { ...good, features: Array(33).fill('x') }, /array/],
    ['features.0', { ...good, features: [''] }, /matches/],
    ['features.1', { ...good, features: ['x', 'ä'] }, /matches/],
    ['region', { ...good, region: 'x'.repeat(17) }, /matches/],
    ['region', { ...good, region: '\u0007' }, /matches/],
    ['rewardMicroCredit', { ...good, rewardMicroCredit: '1e3' }, /matches/],
    ['timeoutMs', { ...good, timeoutMs: 999 }, /integer from 1000 to 86400000/],
    ['output', { ...good, output: 'maybe' }, /"keep" or "digest"/],
    ['note', { ...good, note: 'hello' }, /no such field/],
    ['body', [], /an object with kind, program/],
    ['body', null, /an object with kind, program/],
    ['body', 'text', /an object with kind, program/],
    ['kind', {}, /"program"/],
  ]
  for (const [field, body, bound] of wrong) {
    test(`${field}: ${JSON.stringify(body).slice(0, 110)}`, async () => {
      const problem = expectRefusal(await submitJson(body), 'invalidField')
      expect(problem.field).toBe(field)
      expect(problem.bound).toMatch(bound)
    })
  }

  test('that JavaScript itself gives to every object is no field', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const places = [`{"${name}":{"kind":1},`, '{'] as const
      const whole = JSON.stringify(good).replace(/^\{/, places[0])
      expect(expectRefusal(await submit(whole), 'invalidField').field).toBe(name)
      const inner = JSON.stringify(good).replace('{"op"', `{"${name}":{"m":1},"op"`)
      expect(expectRefusal(await submit(inner), 'invalidField').field).toBe(`program.${name}`)
    }
    expect(({} as Record<string, unknown>).kind).toBeUndefined()
  })

  test('may be anything at all: the answer is a success or a problem with a known code', async () => {
    const hostile = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(
        '',
        ' ',
        '0',
        -0,
        -1,
        0.1,
        1e308,
        2 ** 53,
        '\u0000',
        '\ud800',
        '__proto__',
        [[]],
        {},
      ),
    )
    const names = [
      'kind',
      'program',
      'input',
      'seed',
      'redundancy',
      'verify',
      'proof',
      'priority',
      'tierMin',
      'features',
      'region',
      'rewardMicroCredit',
      'timeoutMs',
      'output',
    ]
    const inner = ['op', 'm', 'k', 'n', 'base64', 'blob']
    const before = server.failures.length
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names, ...inner), hostile, async (name, value) => {
        const body = inner.includes(name)
          ? { ...good, program: { ...good.program, [name]: value }, input: { ...good.input, [name]: value } }
          : { ...good, [name]: value }
        const answer = await submitJson(body)
        if (answer.status !== 200) expectRefusal(answer, 'invalidField')
      }),
      { numRuns: 400 },
    )
    expect(server.failures.length).toBe(before)
  })
})

describe('a body', () => {
  const wrong: readonly (readonly [string, string | Uint8Array<ArrayBuffer>, ErrorCode])[] = [
    ['that is empty', '', 'malformedJson'],
    ['that stops half-way', '{"kind":', 'malformedJson'],
    ['with a comma too many', '{"kind":"program",}', 'malformedJson'],
    ['that is not UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), 'malformedJson'],
    ['that is NaN', 'NaN', 'malformedJson'],
    ['with two values', '{} {}', 'malformedJson'],
  ]
  for (const [story, body, code] of wrong) {
    test(`${story}: ${code}`, async () => expectRefusal(await submit(body), code))
  }

  test('of another content type, or none, is refused', async () => {
    for (const type of [
      'text/plain',
      'application/jsonp',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
    ]) {
      const problem = expectRefusal(await submit('{}', { 'content-type': type }), 'unsupportedMediaType')
      expect(problem.value).toContain(type)
    }
    const untyped = await send('/v1/tasks', { method: 'POST', body: new Uint8Array(2) })
    expectRefusal(untyped, 'unsupportedMediaType')
  })

  test('that is larger than allowed is refused, announced or not', async () => {
    const large = 'x'.repeat(jsonBytesMax + 1)
    expect(expectRefusal(await submit(`"${large}"`), 'bodyTooLarge').bound).toContain(String(jsonBytesMax))
    const stream = new Response(`"${large}"`).body
    const headers = { 'content-type': 'application/json' }
    expectRefusal(await send('/v1/tasks', { method: 'POST', body: stream, headers }), 'bodyTooLarge')
  })

  test('that is deeper than any stack is refused like any other', async () => {
    const before = server.failures.length
    const depth = jsonBytesMax / 2 - 100
    const deep = '['.repeat(depth) + ']'.repeat(depth)
    for (const body of [deep, `{"kind":${deep}}`, JSON.stringify(good).replace('"AAAAAAAAAAA="', deep)]) {
      const { problem } = await submit(body)
      expect(['invalidField', 'malformedJson']).toContain(problem?.code ?? '')
    }
    const nested = `${'{"kind":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    expect(['invalidField', 'malformedJson']).toContain((await submit(nested)).problem?.code ?? '')
    expect(server.failures.length).toBe(before)
  })

  test('of lists in lists never reaches the parser; a bracket in a text is none', async () => {
    for (const open of ['[', '{"a":']) {
      const problem = expectRefusal(await submit(open.repeat(jsonBytesMax / 8)), 'malformedJson')
      expect(problem.bound).toContain('at most 64')
    }
    const deepest = `${'['.repeat(64)}${']'.repeat(64)}`
    expectRefusal(await submit(deepest), 'invalidField')
    expectRefusal(await submit(`[${deepest}]`), 'malformedJson')
    expect(
      (await submitJson({ ...good, note: `${'['.repeat(100)}"\\${'{'.repeat(100)}` })).problem,
    ).toMatchObject({
      code: 'invalidField',
      field: 'note',
    })
  })

  test('with very many fields is refused with a short answer', async () => {
    const many = JSON.stringify(
      Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`field${index}`, 1])),
    )
    const problem = expectRefusal(await submit(many), 'invalidField')
    expect(JSON.stringify(problem).length).toBeLessThan(2_000)
    const long = JSON.stringify({ ['x'.repeat(100_000)]: 'y'.repeat(100_000) })
    expect(JSON.stringify((await submit(long)).problem).length).toBeLessThan(2_000)
  })
})

describe('what stands in the address or the headers', () => {
  const tasks = (query: string) => send(`/v1/tasks${query}`)
  const wrong: readonly (readonly [string, () => Promise<Answer>, string])[] = [
    ['a short id', () => send('/v1/tasks/abc'), 'path.taskId'],
    ['an id in capitals', () => send(`/v1/tasks/${id.toUpperCase()}`), 'path.taskId'],
    ['an id with an escape', () => send(`/v1/tasks/${id.slice(2)}%00`), 'path.taskId'],
    ['an id that is a path', () => send('/v1/tasks/..%2f..%2fetc'), 'path.taskId'],
    ['a digest of another length', () => send(`/v1/blobs/${id}`), 'path.digest'],
    ['an unknown status', () => tasks('?status=odd'), 'query.status'],
    ['a limit of none', () => tasks('?limit=0'), 'query.limit'],
    ['a limit too high', () => tasks('?limit=201'), 'query.limit'],
    ['a limit that is no number', () => tasks('?limit=1e1'), 'query.limit'],
    ['an empty limit', () => tasks('?limit='), 'query.limit'],
    ['a cursor of another length', () => tasks('?cursor=ab'), 'query.cursor'],
    ['an unknown query field', () => tasks('?colour=red'), 'query.colour'],
    ['a query field of every object', () => tasks('?__proto__=1'), 'query.__proto__'],
    ['a query field given twice', () => tasks('?limit=1&limit=2'), 'query.limit'],
    [
      'an event id that is no number',
      () => send(`/v1/tasks/${id}/events`, { headers: { 'last-event-id': 'x' } }),
      'header.last-event-id',
    ],
    ['an event number too long', () => send(`/v1/tasks/${id}/events?after=${'9'.repeat(16)}`), 'query.after'],
    [
      'an empty idempotency key',
      () => submit(JSON.stringify(good), { 'idempotency-key': '' }),
      'header.idempotency-key',
    ],
    [
      'a long idempotency key',
      () => submit(JSON.stringify(good), { 'idempotency-key': 'x'.repeat(129) }),
      'header.idempotency-key',
    ],
    [
      'a content-range that is none',
      () =>
        send(`/v1/blobs/${digest}`, { method: 'PUT', body: 'x', headers: { 'content-range': 'bytes */3' } }),
      'header.content-range',
    ],
  ]
  for (const [story, request, field] of wrong) {
    test(`${story} is refused by name`, async () => {
      expect(expectRefusal(await request(), 'invalidField').field).toBe(field)
    })
  }

  test('may be anything at all: never a failure of ours', async () => {
    const before = server.failures.length
    const text = fc.string({ unit: 'binary', maxLength: 60 })
    const paths = [
      (value: string) => `/v1/tasks/${value}`,
      (value: string) => `/v1/blobs/${value}`,
      (value: string) => `/v1/tasks?limit=${value}`,
      (value: string) => `/v1/tasks?${value}`,
      (value: string) => `/v1/tasks/${id}/events?after=${value}`,
    ]
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), text, async (path, value) => {
        const encoded = encodeURIComponent(value.toWellFormed())
        const { status, problem } = await send(path(encoded))
        expect([200, 404, 422]).toContain(status)
        if (status === 422) expectRefusal({ status, problem }, 'invalidField')
      }),
      { numRuns: 300 },
    )
    expect(server.failures.length).toBe(before)
  })

  test('is refused when its escapes are none', async () => {
    for (const path of ['/v1/tasks/%zz', '/v1/tasks/%', '/v1/blobs/%ff%fe']) {
      expect((await send(path)).status).toBe(422)
    }
  })

  test('is not looked at without a key', async () => {
    for (const headers of [{}, { authorization: 'Bearer other' }, { authorization: testApiKey }]) {
      const response = await fetch(`${server.url}/v1/tasks/abc`, { headers })
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toBe('Bearer')
    }
  })
})

describe('HEAD', () => {
  test('of events ends, and of a blob has its own answer', async () => {
    const other = serveRoutes({
      taskEvents: () =>
        new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) })),
      getBlob: () => new Response('the bytes'),
      headBlob: () => new Response(null, { headers: { 'content-length': '9', 'x-asked': 'head' } }),
    })
    const headers = { authorization: `Bearer ${testApiKey}` }
    const events = await fetch(`${other.url}/v1/tasks/${id}/events`, { method: 'HEAD', headers })
    expect(events.status).toBe(200)
    const blob = await fetch(`${other.url}/v1/blobs/${digest}`, { method: 'HEAD', headers })
    expect([blob.status, blob.headers.get('x-asked'), blob.headers.get('content-length')]).toEqual([
      200,
      'head',
      '9',
    ])
    const wrong = await fetch(`${other.url}/v1/blobs/%ff`, { method: 'HEAD', headers })
    expect(wrong.status).toBe(422)
    expect(await (await fetch(`${other.url}/v1/blobs/${digest}`, { headers })).text()).toBe('the bytes')
    await other.close()
  })
})

test('a handler that breaks says nothing of how', async () => {
  const broken = serveRoutes({
    health: () => {
      throw new Error('secret path')
    },
    workers: () => ({ status: 200, json: { unsayable: 1n } }),
  })
  const health = await fetch(`${broken.url}/v1/health`)
  expect(health.status).toBe(500)
  expect(await health.text()).not.toContain('secret')
  const workers = await fetch(`${broken.url}/v1/workers`, {
    headers: { authorization: `Bearer ${testApiKey}` },
  })
  expect(workers.status).toBe(500)
  expect(broken.failures).toHaveLength(2)
  await broken.close()
})
