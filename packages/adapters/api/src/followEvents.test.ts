/** Following the events of all tasks over lines that break: each event once, in order, or an error. */
import { describe, expect, test } from 'bun:test'
import { createClient } from './client.ts'
import { type FollowEventsOptions, followEvents } from './followEvents.ts'
import { ApiError, problemResponse } from './problem.ts'

const event = (cursor: number, type = 'delivered'): string =>
  `id: ${cursor}\nevent: ${type}\ndata: ${JSON.stringify({ cursor: String(cursor), atMs: 1, type })}\n\n`
const end = (reason: string, cursor: number): string =>
  `event: end\ndata: ${JSON.stringify({ reason, cursor: String(cursor) })}\n\n`
const heartbeat = (cursor: number): string => `: still here\nid: ${cursor}\n\n`
const answer =
  (...parts: string[]) =>
  () =>
    new Response(parts.join(''))
const refusal = (code: 'cursorTooOld' | 'shuttingDown') => () =>
  problemResponse(new ApiError(code, 'no').problem)

/** Follows over the given connections, in turn, and then the last one again and again. */
async function follow(answers: readonly (() => Response)[], options: FollowEventsOptions = {}) {
  const asked: string[] = []
  const send = (async (url: URL) => {
    asked.push(url.search)
    return answers[Math.min(asked.length, answers.length) - 1]?.() as Response
  }) as unknown as typeof fetch
  const wait = async (): Promise<void> => {}
  const client = createClient({ baseUrl: 'http://test', fetch: send, wait, triesMax: 1 })
  const seen: string[] = []
  let error: unknown
  try {
    for await (const { cursor } of followEvents(client, { wait, ...options })) seen.push(cursor)
  } catch (thrown) {
    error = thrown
  }
  return { seen, asked, error }
}

describe('followEvents', () => {
  test('goes on after each break with the last cursor, and gives none twice', async () => {
    const stop = new AbortController()
    const { seen, asked } = await follow(
      [
        answer(event(3), event(5)),
        answer(event(5), event(6), end('slowConsumer', 8)),
        refusal('shuttingDown'),
        answer(heartbeat(11)),
        () => {
          stop.abort(new Error('enough'))
          return new Response(event(12))
        },
      ],
      { after: '2', types: ['delivered', 'slashed'], signal: stop.signal },
    )
    expect(seen).toEqual(['3', '5', '6', '12'])
    const types = '&types=delivered%2Cslashed'
    expect(asked).toEqual(['2', '5', '8', '8', '11'].map((after) => `?after=${after}${types}`))
  })

  test('without a cursor begins with what the server says', async () => {
    const { asked } = await follow([answer(heartbeat(7)), refusal('cursorTooOld')])
    expect(asked).toEqual(['', '?after=7'])
  })

  test('from the oldest on, and no further than the newest', async () => {
    const reached: string[] = []
    const { seen, asked, error } = await follow([answer(event(4)), answer(event(9), end('caughtUp', 12))], {
      after: 'oldest',
      live: false,
      onCursor: (cursor) => void reached.push(cursor),
    })
    expect([seen, error]).toEqual([['4', '9'], undefined])
    expect(asked).toEqual(['?after=oldest&live=no', '?after=4&live=no'])
    expect(reached).toEqual(['4', '9', '12'])
  })

  test('says when events behind the cursor are gone', async () => {
    const problem = new ApiError('cursorTooOld', { detail: 'gone', cursor: 40 }).problem
    const { error, asked } = await follow([() => problemResponse(problem)], { after: '3' })
    expect(error).toMatchObject({ problem: { code: 'cursorTooOld', cursor: 40 } })
    expect(asked).toHaveLength(1)
  })

  const dead: readonly (readonly [string, () => Response])[] = [
    ['closes at once', answer()],
    ['repeats what is known', answer(event(2), heartbeat(1))],
    ['sends what is no event', answer('data: {"cursor":"x"}\n\n')],
    ['sends no JSON', answer('data: hello\n\n')],
    ['names a type that does not exist', answer(event(9, 'task_won'))],
    ['says a cursor that is none', answer('id: nine\n\n')],
  ]
  for (const [story, connection] of dead) {
    test(`gives a server up that ${story}`, async () => {
      const { seen, asked, error } = await follow([connection], { after: '2' })
      expect(seen).toEqual([])
      expect(asked).toHaveLength(5)
      expect(String(error)).toContain('broke off 5 times')
    })
  }
})
