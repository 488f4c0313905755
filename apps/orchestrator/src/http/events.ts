/** The events of all tasks, as server-sent events and over a WebSocket: what was asked, and the two kinds of lines. */
import {
  ApiError,
  type Parsed,
  type StreamEventType,
  type StreamMessage,
  streamEventTypes,
  type streamRoutes,
} from '@shardy/api'
import type { ServerWebSocket } from 'bun'
import type { Services } from '../orchestrator.ts'
import type { Asked, FollowerLine, Following, Viewer } from '../telemetry/follower.ts'
import { type StreamEvent, viewStreamEvent } from '../telemetry/streamRecord.ts'

type Query = Parsed<typeof streamRoutes.events>['query']

function typesOf(asked: string | undefined): ReadonlySet<StreamEventType> | undefined {
  if (asked === undefined) return undefined
  const types = new Set<StreamEventType>()
  for (const word of asked.split(',')) {
    const type = streamEventTypes.find((each) => each === word)
    if (type === undefined) {
      const bound = `some of ${streamEventTypes.join(', ')}`
      const detail = `query.types has ${JSON.stringify(word)}; it must be ${bound}`
      throw new ApiError('invalidField', { detail, field: 'query.types', value: word, bound })
    }
    types.add(type)
  }
  return types
}

/** Throws what a visitor is told whose cursor leads nowhere. */
export function askedOf(
  { eventLog }: Services,
  viewer: Viewer,
  { after, types, live = 'yes' }: Query,
  lastEventId?: string,
): Asked {
  const [oldest, newest] = [eventLog.oldestCursor(), eventLog.newest()]
  // An EventSource that comes back still has the address with which it began.
  const word = lastEventId ?? after
  const cursor = word === undefined ? newest : word === 'oldest' ? oldest : Number(word)
  const given = {
    field: lastEventId === undefined ? 'query.after' : 'header.last-event-id',
    value: word ?? '',
  }
  if (cursor < oldest) {
    const detail = `events up to ${oldest} are no longer kept; go on from there, or from the oldest`
    throw new ApiError('cursorTooOld', { detail, ...given, bound: `from ${oldest} on`, cursor: oldest })
  }
  if (cursor > newest) {
    const detail = `the newest event is ${newest}; this cursor is of another log, or of one that was restored`
    throw new ApiError('cursorAhead', { detail, ...given, bound: `up to ${newest}`, cursor: newest })
  }
  return { viewer, after: cursor, types: typesOf(types), isLive: live === 'yes' }
}

/** An event is made into text once, however many follow. */
const texts = new WeakMap<StreamEvent, string>()

function textOf(event: StreamEvent): string {
  const known = texts.get(event)
  if (known !== undefined) return known
  const text = JSON.stringify(viewStreamEvent(event))
  texts.set(event, text)
  return text
}

/** What may wait in a stream before no more is put into it. A page may go over it, and no more than one. */
const waitingBytesMax = 256 * 1024

export function streamAllEvents({ followers }: Services, asked: Asked): Response {
  const encoder = new TextEncoder()
  let sendTo: ReadableStreamDefaultController<Uint8Array> | undefined
  let pulled: () => void = () => {}

  function write(text: string): void {
    try {
      sendTo?.enqueue(encoder.encode(text))
    } catch {
      sendTo = undefined
      following.leave()
    }
  }
  const line: FollowerLine = {
    send(events) {
      let text = ''
      for (const event of events) {
        text += `id: ${event.sequence}\nevent: ${event.record.type}\ndata: ${textOf(event)}\n\n`
      }
      write(text)
    },
    // An id without data is no event, and is where the reader comes back to.
    heartbeat: (cursor) => write(`: still here\nid: ${cursor}\n\n`),
    drained() {
      if (sendTo === undefined || (sendTo.desiredSize ?? 0) > 0) return undefined
      return new Promise((resolve) => {
        pulled = resolve
      })
    },
    end(reason, cursor) {
      write(`id: ${cursor}\nevent: end\ndata: ${JSON.stringify({ reason, cursor: String(cursor) })}\n\n`)
      try {
        sendTo?.close()
      } catch {
        // The reader has gone already.
      }
      sendTo = undefined
    },
  }
  let following: Following = { leave() {}, end() {}, ended: Promise.resolve() }
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        sendTo = controller
        // The answer's head goes out with the first bytes, and there may be no event for long.
        write(`: listening\nid: ${asked.after}\n\n`)
        following = followers.open('sse', asked, line)
      },
      pull: () => pulled(),
      cancel() {
        sendTo = undefined
        following.leave()
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: waitingBytesMax }),
  )
  return new Response(stream, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  })
}

/** What the server needs to know of a socket on which events go out. */
export interface EventSocket {
  opened(
    socket: Pick<ServerWebSocket<unknown>, 'sendText' | 'getBufferedAmount' | 'close' | 'readyState'>,
  ): void
  drained(): void
  closed(): void
}

/** 1000 for an end that was asked for; 1013 is `try again later`. */
const closeCodes = {
  caughtUp: 1000,
  slowConsumer: 1013,
  cursorTooOld: 4410,
  notAllowed: 1008,
  stopping: 1012,
  failed: 1011,
} as const

export function openEventSocket({ followers }: Services, asked: Asked): EventSocket {
  let following: Following | undefined
  let resume: () => void = () => {}
  return {
    opened(socket) {
      const say = (message: StreamMessage) => void socket.sendText(JSON.stringify(message))
      const line: FollowerLine = {
        send: (events) => void socket.sendText(`{"events":[${events.map(textOf).join(',')}]}`),
        heartbeat: (cursor) => say({ heartbeat: { cursor: String(cursor) } }),
        drained() {
          if (socket.getBufferedAmount() <= waitingBytesMax) return undefined
          return new Promise((resolve) => {
            resume = () => {
              if (socket.getBufferedAmount() <= waitingBytesMax) resolve()
            }
          })
        },
        end(reason, cursor) {
          say({ end: { reason, cursor: String(cursor) } })
          socket.close(closeCodes[reason], reason)
        },
      }
      say({ heartbeat: { cursor: String(asked.after) } })
      try {
        following = followers.open('websocket', asked, line)
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        socket.close(1013, error.problem.code)
      }
    },
    drained: () => resume(),
    closed: () => following?.leave(),
  }
}
