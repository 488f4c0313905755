/** Server-sent events: one task's history as it grows, resumed where it broke off until its last event. */
import { finalEventTypes } from '@shardy/protocol'
import { Value } from '@sinclair/typebox/value'
import { chunksOf } from './body.ts'
import { type Client, UnexpectedAnswerError, UnreachableError } from './client.ts'
import { orchestratorRoutes } from './orchestrator.ts'
import { ApiError } from './problem.ts'
import { type EventView, eventView } from './shapes.ts'

/** One event's text; the largest of ours has a few hundred bytes. */
const eventLengthMax = 64 * 1024
/** The server says something at least every 15 seconds; after this long the line counts as dead. */
const quietMsMaxDefault = 60_000

export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError'
  constructor() {
    super(`an event has more than ${eventLengthMax} characters`)
  }
}

/** What stands between two empty lines. One without `data` is no event, but its `id` counts. */
export interface StreamPart {
  readonly id: string | undefined
  readonly event: string | undefined
  readonly data: string | undefined
}

/** The `data` of each event in a stream. */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
  quietMsMax?: number,
): AsyncGenerator<string> {
  for await (const { data } of readMessages(stream, quietMsMax)) if (data !== undefined) yield data
}

function fieldOf(line: string, name: string): string | undefined {
  if (!line.startsWith(`${name}:`)) return undefined
  return line.slice(name.length + (line[name.length + 1] === ' ' ? 2 : 1))
}

/** The parts of a stream. Comments and other fields are passed over. Lines end in LF or CRLF. */
export async function* readMessages(
  stream: ReadableStream<Uint8Array>,
  quietMsMax?: number,
): AsyncGenerator<StreamPart> {
  const decoder = new TextDecoder()
  let text = ''
  let searched = 0
  let eventLength = 0
  let data: string[] = []
  let id: string | undefined
  let event: string | undefined
  for await (const chunk of chunksOf(stream, quietMsMax)) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n', searched); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, text[end - 1] === '\r' ? end - 1 : end)
      text = text.slice(end + 1)
      searched = 0
      eventLength += line.length
      if (eventLength > eventLengthMax) throw new EventTooLargeError()
      const more = fieldOf(line, 'data')
      if (more !== undefined) data.push(more)
      id = fieldOf(line, 'id') ?? id
      event = fieldOf(line, 'event') ?? event
      if (line !== '') continue
      if (data.length > 0 || id !== undefined) {
        yield { id, event, data: data.length > 0 ? data.join('\n') : undefined }
      }
      data = []
      id = undefined
      event = undefined
      eventLength = 0
    }
    searched = text.length
    if (eventLength + text.length > eventLengthMax) throw new EventTooLargeError()
  }
}

export const isFinalEvent = ({ type }: EventView): boolean => finalEventTypes.includes(type)

/** Breaks in a row without one new event that a follower puts up with. */
const emptyBreaksMax = 5
const pauseMs = 200

export interface FollowOptions {
  /** The sequence of the last event that is known already. */
  readonly after?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Waits between two connections; a test gives its own. */
  readonly wait?: ((ms: number) => Promise<void>) | undefined
  readonly quietMsMax?: number | undefined
}

function parseEvent(data: string): EventView {
  const event: unknown = JSON.parse(data)
  if (!Value.Check(eventView, event)) throw new TypeError(`not an event: ${data.slice(0, 200)}`)
  return event
}

export async function* followTask(
  client: Client,
  taskId: string,
  options: FollowOptions = {},
): AsyncGenerator<EventView> {
  const { signal, quietMsMax = quietMsMaxDefault } = options
  const wait = options.wait ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)))
  let after = options.after ?? 0
  let last: unknown
  for (let emptyBreaks = 0; emptyBreaks < emptyBreaksMax; ) {
    const before = after
    try {
      const given = { params: { taskId }, headers: { 'last-event-id': String(after) } }
      const { body } = await client.open(orchestratorRoutes.taskEvents, given, { signal })
      last = undefined
      for await (const data of body === null ? [] : readEvents(body, quietMsMax)) {
        const event = parseEvent(data)
        if (event.sequence <= after) continue
        after = event.sequence
        yield event
        if (isFinalEvent(event)) return
      }
    } catch (error) {
      const isFinal = error instanceof ApiError && error.problem.status !== 503
      if (isFinal || signal?.aborted === true) throw error
      // The line broke, or the server restarts: go on from the last event that came.
      last = error
    }
    emptyBreaks = after > before ? 0 : emptyBreaks + 1
    if (emptyBreaks < emptyBreaksMax) await wait(pauseMs * 2 ** emptyBreaks)
    signal?.throwIfAborted()
  }
  if (last instanceof UnreachableError || last instanceof UnexpectedAnswerError) throw last
  const detail = `the events of task ${taskId} broke off ${emptyBreaksMax} times in a row`
  throw new ApiError('overloaded', detail, { cause: last })
}
