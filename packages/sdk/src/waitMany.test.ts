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
    const { requester } = network([], [[new ApiError('missingScope', 'no')]])
    await expect(endsOf(waitMany(requester, ids))).rejects.toMatchObject({
      problem: { code: 'missingScope' },
    })
    const aborted = AbortSignal.abort(new Error('stopped'))
    await expect(endsOf(waitMany(requester, ids, { signal: aborted }))).rejects.toThrow('stopped')
  })
})
