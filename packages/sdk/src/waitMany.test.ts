/** Many tasks over a stream whose order and breaks the test decides. */
import { describe, expect, test } from 'bun:test'
import { ApiError, type StreamEventView, type TaskView } from '@shardy/api'
import { sampleView } from '@shardy/api/testing'
import { type Watcher, waitMany } from './waitMany.ts'

const ids = ['a', 'b', 'c'].map((letter) => letter.repeat(32))
const [a = '', b = '', c = ''] = ids

/** A network in which a task ends when its ending is streamed, or before anybody looks. */
function network(already: readonly string[], streams: readonly (readonly (StreamEventView | Error)[])[]) {
  const ended = new Set(already)
  const asked: (string | undefined)[] = []
  let opened = 0
  const requester: Watcher = {
    get: async (taskId) => sampleView({ taskId, status: ended.has(taskId) ? 'verified' : 'running' }),
    async *events({ after, live, onCursor } = {}) {
      if (live === false) return onCursor?.('10')
      asked.push(after)
      for (const each of streams[opened++] ?? [new Error('opened too often')]) {
        if (each instanceof Error) throw each
        if (each.type === 'task_verified' && each.taskId !== undefined) ended.add(each.taskId)
        yield each
      }
    },
  }
  return { requester, asked }
}

const event = (cursor: number, taskId: string, type: StreamEventView['type']): StreamEventView => ({
  cursor: String(cursor),
  atMs: 0,
  type,
  taskId,
})

async function endsOf(tasks: AsyncGenerator<TaskView>): Promise<string[]> {
  const found: string[] = []
  for await (const { taskId, status } of tasks) {
    expect(status).toBe('verified')
    found.push(taskId)
  }
  return found
}

describe('waiting for many', () => {
  test('gives each once, as it ends, and hears of no other task', async () => {
    const heard: string[] = []
    const stream = [
      event(11, b, 'delivered'),
      event(12, 'f'.repeat(32), 'task_verified'),
      event(13, c, 'task_verified'),
      event(14, b, 'task_verified'),
    ]
    const { requester, asked } = network([a], [stream])
    const onEvent = ({ cursor }: StreamEventView) => heard.push(cursor)
    expect(await endsOf(waitMany(requester, [...ids, a], { onEvent }))).toEqual([a, c, b])
    expect(asked).toEqual(['10'])
    expect(heard).toEqual(['11', '13', '14'])
  })

  test('opens no live stream when all have ended', async () => {
    const { requester, asked } = network(ids, [])
    expect(await endsOf(waitMany(requester, ids))).toEqual(ids)
    expect(asked).toEqual([])
  })

  test('goes on where a stream ended, and looks again where events are gone', async () => {
    const gone = new ApiError('cursorTooOld', 'gone')
    const { requester, asked } = network(
      [],
      [
        [event(11, a, 'task_verified')],
        [gone],
        [event(12, b, 'task_verified'), event(13, c, 'task_verified')],
      ],
    )
    expect(await endsOf(waitMany(requester, ids))).toEqual(ids)
    expect(asked).toEqual(['10', '11', '10'])
  })

  test('stops when it is told to, and passes on what it cannot mend', async () => {
    const { requester } = network([], [[new ApiError('expiredApiKey', 'no')]])
    await expect(endsOf(waitMany(requester, ids))).rejects.toMatchObject({
      problem: { code: 'expiredApiKey' },
    })
    const aborted = AbortSignal.abort(new Error('stopped'))
    await expect(endsOf(waitMany(requester, ids, { signal: aborted }))).rejects.toThrow('stopped')
  })

  describe('with a key that may not read events', () => {
    const noEvents = async function* () {
      if (ids.length > 0) throw new ApiError('missingScope', 'events:read is missing')
      yield event(1, a, 'delivered')
    }

    test('looks again and again, and gives each once', async () => {
      const pauses: number[] = []
      const ended = new Set([b])
      const requester: Watcher = {
        get: async (taskId) => sampleView({ taskId, status: ended.has(taskId) ? 'verified' : 'running' }),
        events: noEvents,
      }
      const wait = async (ms: number) => {
        pauses.push(ms)
        ended.add(pauses.length === 1 ? c : a)
      }
      expect(await endsOf(waitMany(requester, ids, { wait }))).toEqual([b, c, a])
      expect(pauses).toEqual([1_000, 1_000])
    })

    test('passes on that it may not look at tasks either, and stops when it is told to', async () => {
      const get = async () => {
        throw new ApiError('missingScope', 'tasks:read is missing')
      }
      await expect(endsOf(waitMany({ get, events: noEvents }, ids))).rejects.toThrow('tasks:read')
      const stop = new AbortController()
      const requester: Watcher = { get: async (taskId) => sampleView({ taskId }), events: noEvents }
      const wait = async () => stop.abort(new Error('stopped'))
      const waiting = endsOf(waitMany(requester, ids, { wait, signal: stop.signal }))
      await expect(waiting).rejects.toThrow('stopped')
    })
  })
})
