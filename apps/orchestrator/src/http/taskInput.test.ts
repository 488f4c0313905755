/** A requester gets its input back, wherever it lies: whoever checks a receipt later may not have kept it. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { digestOf, randomBytes, refused } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'

let network: TestNetwork
beforeAll(async () => {
  network = await startTestNetwork()
})
afterAll(() => network.stop())

async function submitted(input: Uint8Array<ArrayBuffer>): Promise<string> {
  const program = { op: 'matmul', m: 1, k: input.length / 2, n: 1 }
  const body = JSON.stringify({ kind: 'program', program, input: { base64: input.toBase64() } })
  const headers = { 'content-type': 'application/json' }
  const answer = await network.request('/v1/tasks', { method: 'POST', headers, body })
  expect(answer.status).toBe(201)
  return ((await answer.json()) as { readonly taskId: string }).taskId
}

for (const length of [2, 16_384, 16_386, 100_000]) {
  test(`an input of ${length} bytes, whole and in part`, async () => {
    const input = randomBytes(length)
    const path = `/v1/tasks/${await submitted(input)}/input`
    const whole = await network.request(path)
    expect(digestOf(await whole.bytes())).toBe(digestOf(input))
    expect(whole.headers.get('etag')).toBe(`"${digestOf(input)}"`)
    const part = await network.request(path, { headers: { range: `bytes=1-${length}` } })
    expect(part.status).toBe(206)
    expect(await part.bytes()).toEqual(input.slice(1))
    expect(await refused(network.request(path, { headers: { range: `bytes=${length}-` } }))).toBe(
      'rangeNotSatisfiable',
    )
  })
}

test('of a task that is not there, or is not yours, it is as unknown as the task', async () => {
  const path = `/v1/tasks/${await submitted(randomBytes(2))}/input`
  const stranger = await network.orchestrator.services.apiKeys.create('a stranger')
  expect(await refused(network.request(path, { apiKey: stranger }))).toBe('unknownTask')
  expect(await refused(network.request(`/v1/tasks/${'0'.repeat(32)}/input`))).toBe('unknownTask')
})
