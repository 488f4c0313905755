import { describe, expect, test } from 'bun:test'
import { type EventView, readEvents } from '@shardy/api'
import { example, follow, refused, submit } from '../../test/example.ts'
import { createManualClock } from '../../test/manualClock.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { createEventHub } from '../tasks/eventHub.ts'

const cancel = (network: TestNetwork, taskId: string) =>
  network.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })

async function all(response: Response): Promise<readonly EventView[]> {
  const events: EventView[] = []
  if (response.body === null) throw new Error('no stream')
  for await (const data of readEvents(response.body)) events.push(JSON.parse(data) as EventView)
  return events
}

const sequences = (events: readonly EventView[]) => events.map(({ sequence }) => sequence)

describe('the events of a task', () => {
  test('are its whole history, in order, and end after the last one', async () => {
    const network = await startTestNetwork()
    await Promise.all([network.startWorker(), network.startWorker()])
    const { taskId } = await submit(network)
    const live = await follow(network, taskId)
    const later = await all(await network.request(`/v1/tasks/${taskId}/events`))
    expect(later).toEqual([...live])
    expect(sequences(later)).toEqual(later.map((_, index) => index + 1))
    expect(later[0]?.type).toBe('submitted')
    expect(later.at(-1)?.type).toBe('task_verified')
    for (const after of [1, 3, later.length - 1]) {
      const headers = { 'last-event-id': String(after) }
      const resumed = await all(await network.request(`/v1/tasks/${taskId}/events`, { headers }))
      expect(resumed).toEqual(later.slice(after))
      expect(await all(await network.request(`/v1/tasks/${taskId}/events?after=${after}`))).toEqual(resumed)
    }
    await network.stop()
  })

  test('end at once for who has seen the last one, or claims to have seen more', async () => {
    const network = await startTestNetwork()
    const { taskId } = await submit(network)
    const ahead = await network.request(`/v1/tasks/${taskId}/events`, {
      headers: { 'last-event-id': '999999999999999' },
    })
    await cancel(network, taskId)
    expect(await all(ahead)).toEqual([])
    for (const after of ['2', '3', '999999999999999']) {
      expect(await all(await network.request(`/v1/tasks/${taskId}/events?after=${after}`))).toEqual([])
    }
    await network.stop()
  })

  test('refuse an id that is no number', async () => {
    const network = await startTestNetwork()
    const { taskId } = await submit(network)
    for (const id of ['-1', '1.5', 'last', '1e3', '01', '9'.repeat(16)]) {
      const answer = network.request(`/v1/tasks/${taskId}/events`, { headers: { 'last-event-id': id } })
      expect(await refused(answer)).toBe('invalidField')
    }
    await network.stop()
  })

  test('reach many listeners; one that goes away leaves nothing behind', async () => {
    const network = await startTestNetwork()
    const { events } = network.orchestrator.services
    const { taskId } = await submit(network)
    const leaving = await Promise.all(
      Array.from({ length: 20 }, () => network.request(`/v1/tasks/${taskId}/events`)),
    )
    const staying = await Promise.all(
      Array.from({ length: 20 }, () => network.request(`/v1/tasks/${taskId}/events`)),
    )
    expect(events.size()).toBe(40)
    await Promise.all(leaving.map(({ body }) => body?.cancel()))
    while (events.size() > 20) await new Promise((resolve) => setImmediate(resolve))
    await cancel(network, taskId)
    const heard = await Promise.all(staying.map(all))
    for (const each of heard) expect(each.map(({ type }) => type)).toEqual(['submitted', 'task_cancelled'])
    expect(events.size()).toBe(0)
    await network.stop()
  })

  test('a quiet line is kept open', async () => {
    const clock = createManualClock()
    const network = await startTestNetwork({ clock })
    const { taskId } = await submit(network)
    const { body } = await network.request(`/v1/tasks/${taskId}/events`)
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const until = async (wanted: string): Promise<void> => {
      while (!text.includes(wanted)) text += (await reader?.read())?.value ?? ''
    }
    await until('submitted')
    for (let count = 1; count <= 3; count++) {
      // The timer is set behind the first events.
      await Promise.resolve()
      clock.advance(15_000)
      await until(': still here\n\n'.repeat(count))
    }
    await reader?.cancel()
    await network.stop()
  })
})

describe('the hub', () => {
  const event = { task: { spec: { taskId: 'aa'.repeat(16) } }, sequence: 1 } as never

  test('takes so many listeners and no more', () => {
    const hub = createEventHub(2)
    const end = hub.subscribe('aa'.repeat(16) as never, () => {}, 'a')
    hub.subscribe('bb'.repeat(16) as never, () => {}, 'b')
    expect(hub.subscribe('aa'.repeat(16) as never, () => {}, 'a')).toBeUndefined()
    end?.()
    end?.()
    expect(hub.size()).toBe(1)
    expect(hub.subscribe('aa'.repeat(16) as never, () => {}, 'a')).toBeDefined()
  })

  test('a listener may end itself or another while it is told', () => {
    const hub = createEventHub()
    const heard: string[] = []
    const taskId = 'aa'.repeat(16) as never
    const ends: ((() => void) | undefined)[] = []
    ends.push(
      hub.subscribe(
        taskId,
        () => {
          heard.push('first')
          for (const end of ends) end?.()
        },
        'a',
      ),
    )
    ends.push(hub.subscribe(taskId, () => heard.push('second'), 'b'))
    hub.publish(event)
    hub.publish(event)
    expect(heard).toEqual(['first', 'second'])
    expect(hub.size()).toBe(0)
  })
})

test('too many listeners of one requester are refused, not queued; others may listen', async () => {
  const network = await startTestNetwork()
  const { apiKeys, events } = network.orchestrator.services
  const who = apiKeys.requester(network.apiKey) ?? ''
  const ends = Array.from({ length: 2_000 }, () => events.subscribe('00'.repeat(16) as never, () => {}, who))
  const { taskId } = await submit(network, example().submission)
  expect(await refused(network.request(`/v1/tasks/${taskId}/events`))).toBe('overloaded')
  const other = events.subscribe(taskId as never, () => {}, 'another')
  expect(other).toBeDefined()
  other?.()
  for (const end of ends) end?.()
  const { body } = await network.request(`/v1/tasks/${taskId}/events`)
  await body?.cancel()
  await network.stop()
})

test('a stream ends when its key is revoked, before the next event; and when it expires, at the next heartbeat', async () => {
  const clock = createManualClock()
  const network = await startTestNetwork({ clock })
  const { apiKeys, events } = network.orchestrator.services
  const requesterId = apiKeys.requester(network.apiKey) as string
  const { taskId } = await submit(network)
  const brief = async (expiresAtMs?: number) => {
    const order = {
      name: 'brief',
      roles: ['requester' as const],
      requesterId,
      ...(expiresAtMs && { expiresAtMs }),
    }
    const issued = await apiKeys.issue(order, undefined, {})
    if (!issued.ok) throw new Error(issued.refusal.kind)
    return issued
  }
  const revoked = await brief()
  const expiring = await brief(clock.nowMs() + 1_000)
  const path = `/v1/tasks/${taskId}/events`
  const streams = [
    await network.request(path, { apiKey: revoked.key }),
    await network.request(path, { apiKey: expiring.key }),
  ]
  while (events.size() < 2) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setTimeout(resolve, 20))
  await apiKeys.revoke(revoked.record.keyId, {})
  clock.advance(15_000)
  for (const stream of streams) expect((await all(stream)).map(({ type }) => type)).toEqual(['submitted'])
  expect(events.size()).toBe(0)
  await network.stop()
})
