import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { digestOf, example, finish, problemOf, randomBytes, submit } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import type { Space } from './space.ts'

const space = { state: 'enough', freeBytes: 5_000, lowBytes: 1_000 } as {
  -readonly [Key in keyof Space]: Space[Key]
}
let network: TestNetwork

beforeEach(async () => {
  space.state = 'enough'
  network = await startTestNetwork({ space })
})
afterEach(() => network.stop())

describe('when room gets low', () => {
  test('new work is refused with the free bytes and the bound, and what was taken is finished', async () => {
    const before = await submit(network, example({ redundancy: 2 }).submission, {
      headers: { 'idempotency-key': 'before' },
    })
    Object.assign(space, { state: 'low', freeBytes: 900 })
    const refused = await network.request('/v1/tasks', { json: example().submission })
    expect(refused.headers.get('retry-after')).toBe('30')
    expect(await problemOf(refused)).toMatchObject({
      status: 507,
      code: 'storageFull',
      value: '900 bytes',
      bound: '1000 bytes or more',
    })
    await Promise.all([network.startWorker(), network.startWorker()])
    expect((await finish(network, before.taskId)).status).toBe('verified')
    expect((await network.request(`/v1/tasks/${before.taskId}/output`)).status).toBe(200)
    const health = (await (await network.request('/v1/health')).json()) as { readonly space: string }
    expect(health.space).toBe('low')
    const figures = await (await network.request('/metrics')).text()
    expect(figures).toContain('shardy_space{state="low"} 1')
    Object.assign(space, { state: 'enough', freeBytes: 5_000 })
    expect((await submit(network)).taskId).toHaveLength(32)
  })

  test('uploads are refused, and blobs that are here can be read', async () => {
    const bytes = randomBytes(100)
    const put = (body: Uint8Array<ArrayBuffer>) =>
      network.request(`/v1/blobs/${digestOf(body)}`, { method: 'PUT', body })
    expect((await put(bytes)).status).toBe(201)
    space.state = 'spent'
    expect(await problemOf(await put(randomBytes(100)))).toMatchObject({ code: 'storageFull' })
    expect((await network.request(`/v1/blobs/${digestOf(bytes)}`)).status).toBe(200)
  })
})
