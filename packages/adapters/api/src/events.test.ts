/** Event streams cut anywhere, broken anywhere, endless or dead: what comes out is each event once, or an error. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { QuietBodyError } from './body.ts'
import { type Client, createClient, UnreachableError } from './client.ts'
import { EventTooLargeError, followTask, readEvents } from './events.ts'
import { ApiError, problemResponse } from './problem.ts'
import type { EventView } from './shapes.ts'

const taskId = '0a'.repeat(16)
const encoder = new TextEncoder()

/** One chunk for each array; `stays` keeps the line open afterwards, `cancelled` says that the reader has gone. */
function streamOf(chunks: readonly Uint8Array[], options: { stays?: boolean; cancelled?: () => void } = {}) {
  const rest = [...chunks]
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = rest.shift()
      if (next !== undefined) controller.enqueue(next)
      else if (options.stays !== true) controller.close()
    },
    cancel: () => options.cancelled?.(),
  })
}

async function all(stream: ReadableStream<Uint8Array>, quietMsMax?: number): Promise<string[]> {
  const read: string[] = []
  for await (const data of readEvents(stream, quietMsMax)) read.push(data)
  return read
}

const text = (...parts: string[]) => streamOf(parts.map((part) => encoder.encode(part)))

describe('readEvents', () => {
  const tables: readonly (readonly [string, string, readonly string[]])[] = [
    ['one event', 'id: 1\nevent: x\ndata: {"a":1}\n\n', ['{"a":1}']],
    ['comments and other fields are passed over', ': hi\n\nretry: 3\ndata: a\n: b\n\n', ['a']],
    ['one space after the colon belongs to the form, more do not', 'data:a\n\ndata:  b\n\n', ['a', ' b']],
    ['several data lines are one event', 'data: a\ndata: b\n\n', ['a\nb']],
    ['an event without data is none', 'id: 1\n\n\n\n', []],
    ['an event that is not finished is none', 'data: a\n\ndata: b\n', ['a']],
    ['lines may end in CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['nothing', '', []],
  ]
  for (const [story, stream, events] of tables) {
    test(story, async () => expect(await all(text(stream))).toEqual([...events]))
  }

  test('chunks may end anywhere, inside a character too', async () => {
    const whole = encoder.encode(': ü\n\ndata: {"detail":"größer 🚀"}\r\n\r\nid: 7\ndata: zwei\ndata: 2\n\n')
    const wanted = ['{"detail":"größer 🚀"}', 'zwei\n2']
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(whole.length)), async (cuts) => {
        const edges = [0, ...cuts.sort((left, right) => left - right), whole.length]
        const chunks = edges.slice(1).map((edge, index) => whole.slice(edges[index], edge))
        expect(await all(streamOf(chunks))).toEqual(wanted)
      }),
    )
    expect(await all(streamOf([...whole].map((byte) => Uint8Array.of(byte))))).toEqual(wanted)
  })

  test('an endless event is refused before it fills the memory', async () => {
    let pulled = 0
    const chunk = encoder.encode('x'.repeat(1024))
    const endless = (first: string, next: Uint8Array) =>
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(encoder.encode(first)),
        pull(controller) {
          pulled++
          controller.enqueue(next)
        },
      })
    await expect(all(endless('data: ', chunk))).rejects.toBeInstanceOf(EventTooLargeError)
    await expect(all(endless('', encoder.encode('data: x\n')))).rejects.toBeInstanceOf(EventTooLargeError)
    expect(pulled).toBeLessThan(20_000)
    // A comment line that never ends is an event that never ends.
    await expect(all(endless(':', chunk))).rejects.toBeInstanceOf(EventTooLargeError)
  })

  test('a stream that stays quiet is given up, and let go', async () => {
    let isCancelled = false
    const stream = streamOf([encoder.encode('data: a\n\n')], {
      stays: true,
      cancelled: () => {
        isCancelled = true
      },
    })
    await expect(all(stream, 5)).rejects.toBeInstanceOf(QuietBodyError)
    expect(isCancelled).toBe(true)
  })

  test('a reader that stops early lets the line go', async () => {
    let isCancelled = false
    const cancelled = (): void => {
      isCancelled = true
    }
    for await (const _ of readEvents(streamOf([encoder.encode('data: a\n\n')], { stays: true, cancelled })))
      break
    expect(isCancelled).toBe(true)
  })
})

const event = (sequence: number, type: EventView['type'] = 'delivered'): string =>
  `id: ${sequence}\ndata: ${JSON.stringify({ sequence, atMs: 1, type })}\n\n`

/** A client whose connections are the given ones, in turn, and then the last one again and again. */
function connections(...answers: (() => Response)[]) {
  const after: (string | null)[] = []
  const pauses: number[] = []
  const send = (async (_: URL, init: RequestInit) => {
    after.push(new Headers(init.headers).get('last-event-id'))
    const answer = answers[Math.min(after.length, answers.length) - 1]
    if (answer === undefined) throw new Error('there is no answer')
    return answer()
  }) as unknown as typeof fetch
  const wait = async (ms: number): Promise<void> => {
    pauses.push(ms)
  }
  const client = createClient({ baseUrl: 'http://test', fetch: send, wait, triesMax: 1 })
  return { client, after, wait, pauses }
}

async function sequences(client: Client, options: Parameters<typeof followTask>[2]): Promise<number[]> {
  const seen: number[] = []
  for await (const { sequence } of followTask(client, taskId, options)) seen.push(sequence)
  return seen
}

const answer =
  (...events: string[]) =>
  () =>
    new Response(text(...events))
const cut =
  (...events: string[]) =>
  () =>
    new Response(
      new ReadableStream({
        start(controller) {
          for (const each of events) controller.enqueue(encoder.encode(each))
        },
        pull: (controller) => controller.error(new Error('the line is cut')),
      }),
    )

describe('followTask', () => {
  test('ends after the final event, though the line stays open', async () => {
    let isCancelled = false
    const cancelled = (): void => {
      isCancelled = true
    }
    const stream = () =>
      streamOf(
        [event(1), event(2, 'task_verified'), event(3)].map((each) => encoder.encode(each)),
        { stays: true, cancelled },
      )
    const { client, wait } = connections(() => new Response(stream()))
    expect(await sequences(client, { wait })).toEqual([1, 2])
    expect(isCancelled).toBe(true)
  })

  test('goes on from the last event after each break, and gives none twice', async () => {
    const { client, wait, after, pauses } = connections(
      answer(event(1), event(2)),
      cut(event(2), event(3)),
      () => problemResponse(new ApiError('shuttingDown', 'bye').problem),
      cut(),
      answer(event(1), event(3), event(4), event(5, 'task_dead')),
    )
    expect(await sequences(client, { wait })).toEqual([1, 2, 3, 4, 5])
    expect(after[0]).toBe('0')
    expect(after.at(-1)).toBe('3')
    for (const pause of pauses) expect(pause).toBeLessThan(5_000)
  })

  test('begins after the event that the caller knows', async () => {
    const { client, wait, after } = connections(answer(event(6), event(8, 'task_cancelled')))
    expect(await sequences(client, { wait, after: 7 })).toEqual([8])
    expect(after).toEqual(['7'])
  })

  const dead: readonly (readonly [string, () => Response, RegExp])[] = [
    ['that only closes', answer(), /broke off 5 times/],
    ['that repeats old events', answer(event(0)), /broke off 5 times/],
    ['that is cut each time', cut(), /broke off 5 times/],
    ['that sends what is no event', answer('data: {"sequence":1}\n\n'), /broke off 5 times/],
    ['that sends no JSON', answer('data: hello\n\n'), /broke off 5 times/],
    ['that sends an endless event', answer(`data: ${'x'.repeat(70_000)}`), /broke off 5 times/],
    ['that is another program', () => new Response('no', { status: 502 }), /HTTP 502/],
  ]
  for (const [story, connection, message] of dead) {
    test(`gives a server up ${story}`, async () => {
      const { client, wait, after } = connections(connection)
      await expect(sequences(client, { wait })).rejects.toThrow(message)
      expect(after).toHaveLength(5)
    })
  }

  test('gives a server up that keeps the line and says nothing', async () => {
    const { client, wait, after } = connections(() => new Response(streamOf([], { stays: true })))
    await expect(sequences(client, { wait, quietMsMax: 5 })).rejects.toThrow('broke off 5 times')
    expect(after).toHaveLength(5)
  })

  test('gives an address up where nobody answers', async () => {
    const { client, wait } = connections(() => {
      throw new TypeError('refused')
    })
    await expect(sequences(client, { wait })).rejects.toBeInstanceOf(UnreachableError)
  })

  test("does not repeat the server's refusal", async () => {
    const { client, wait, after } = connections(() =>
      problemResponse(new ApiError('unknownTask', 'none').problem),
    )
    await expect(sequences(client, { wait })).rejects.toMatchObject({ problem: { code: 'unknownTask' } })
    expect(after).toHaveLength(1)
  })

  test('stops when the caller aborts', async () => {
    const stop = new AbortController()
    const { client, after } = connections(answer())
    const wait = async (): Promise<void> => stop.abort(new Error('enough'))
    await expect(sequences(client, { wait, signal: stop.signal })).rejects.toThrow('enough')
    expect(after).toHaveLength(1)
  })
})
