/** Metrics and request ids as a scraper and a requester meet them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { orchestratorRoutes as routes } from '@shardy/api'
import { refused, submit } from '../../test/example.ts'
import { parseExposition } from '../../test/exposition.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { createApp } from './app.ts'

let network: TestNetwork
beforeAll(async () => {
  network = await startTestNetwork()
})
afterAll(() => network.stop())

async function requests(): Promise<ReadonlyMap<string, number>> {
  const answer = await network.request('/metrics')
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const { samples = [] } = parseExposition(await answer.text(), false).get('shardy_http_requests_total') ?? {}
  return new Map(samples.map(({ labels, value }) => [`${labels.route} ${labels.status}`, value]))
}

describe('metrics', () => {
  test('count requests by route and status, and never by what was asked for', async () => {
    const before = await requests()
    const { taskId } = await submit(network)
    await network.request(`/v1/tasks/${taskId}`)
    await network.request(`/v1/tasks/${taskId}`, { method: 'HEAD' })
    await network.request(`/v1/tasks/${'0'.repeat(32)}`)
    await network.request('/v1/tasks/x')
    for (let index = 0; index < 5; index++) await network.request(`/nowhere/${index}`)
    await network.request('/v1/health', { method: 'POST' })
    const after = await requests()
    const grown = [...after].map(([series, value]) => [series, value - (before.get(series) ?? 0)] as const)
    expect(Object.fromEntries(grown.filter(([, value]) => value > 0))).toEqual({
      'submitTask 201': 1,
      'getTask 200': 2,
      'getTask 404': 1,
      'getTask 422': 1,
      'other 404': 5,
      'other 405': 1,
      'metrics 200': 1,
    })
  })

  test('are given as OpenMetrics to who asks for that', async () => {
    const headers = { accept: 'application/openmetrics-text; version=1.0.0' }
    const answer = await network.request('/metrics', { headers })
    expect(answer.headers.get('content-type')).toStartWith('application/openmetrics-text')
    const families = parseExposition(await answer.text(), true)
    expect(families.get('shardy_http_request_seconds')).toMatchObject({ type: 'histogram', unit: 'seconds' })
  })

  test('need a key, unless the operator opened them', async () => {
    expect(await refused(network.request('/metrics', { anonymous: true }))).toBe('missingApiKey')
    const about = { version: '0', store: 'memory' }
    const open = createApp(network.orchestrator.services, about, { openMetrics: true })
    const asked = (path: string) => open(new Request(`http://localhost${path}`))
    expect((await asked('/metrics')).status).toBe(200)
    expect((await asked('/v1/tasks')).status).toBe(401)
  })
})

describe('a request id', () => {
  const idOf = async (path: string, id?: string): Promise<string | null> => {
    const headers = id === undefined ? {} : { 'x-request-id': id }
    const answer = await network.request(path, { headers })
    await answer.body?.cancel()
    return answer.headers.get('x-request-id')
  }

  test('comes back on every answer, as it was or as a new one', async () => {
    for (const path of ['/v1/health', '/metrics', '/nowhere', '/v1/tasks/x', '/v1/worker', '/openapi.json']) {
      expect(await idOf(path, 'mine-1')).toBe('mine-1')
      expect(await idOf(path, 'not a word')).toMatch(/^[0-9a-f]{16}$/)
      expect(await idOf(path)).toMatch(/^[0-9a-f]{16}$/)
    }
    expect(await idOf('/v1/health')).not.toBe(await idOf('/v1/health'))
  })

  test('is in the log with what broke', async () => {
    const lines: unknown[] = []
    const { services } = network.orchestrator
    const log = { ...services.log, error: (...line: unknown[]) => void lines.push(line) }
    const broken = { ...services.archive, list: () => Promise.reject(new Error('broken')) }
    const app = createApp({ ...services, log, archive: broken }, { version: '0', store: 'memory' })
    const headers = { authorization: `Bearer ${network.apiKey}`, 'x-request-id': 'find-me' }
    // A host of one letter makes the app copy the request.
    const answer = await app(new Request('http://x/v1/tasks', { headers }))
    expect([answer.status, answer.headers.get('x-request-id')]).toEqual([500, 'find-me'])
    const { method, path } = routes.listTasks
    expect(lines).toEqual([['requestFailed', new Error('broken'), { requestId: 'find-me', method, path }]])
  })
})
