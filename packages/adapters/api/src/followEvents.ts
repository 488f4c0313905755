/** Follows the events of all tasks: goes on after each break with the cursor that came last, and gives none twice. */
import { Value } from '@sinclair/typebox/value'
import type { Client } from './client.ts'
import { UnexpectedAnswerError, UnreachableError } from './client.ts'
import { readMessages } from './events.ts'
import { ApiError } from './problem.ts'
import {
  type StreamEventType,
  type StreamEventView,
  streamEnd,
  streamEventView,
  streamRoutes,
} from './streamEvent.ts'

export interface FollowEventsOptions {
  /** The cursor of the last event that is known already, or `oldest`; from now on when there is none. */
  readonly after?: string | undefined
  readonly types?: readonly StreamEventType[] | undefined
  /** False: only what has happened already. */
  readonly live?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  /** Told of each cursor that was reached, also without an event of the asked kind. */
  readonly onCursor?: ((cursor: string) => void) | undefined
  /** Waits between two connections; a test gives its own. */
  readonly wait?: ((ms: number) => Promise<void>) | undefined
  readonly quietMsMax?: number | undefined
}

/** Breaks in a row without anything new that a follower puts up with. */
const emptyBreaksMax = 5
const pauseMs = 200
const quietMsMaxDefault = 60_000

function parse(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

export async function* followEvents(
  client: Client,
  options: FollowEventsOptions = {},
): AsyncGenerator<StreamEventView> {
  const { types, live = true, signal, onCursor, quietMsMax = quietMsMaxDefault } = options
  const wait = options.wait ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)))
  let { after } = options
  let last: unknown

  function reached(cursor: string): boolean {
    if (after !== undefined && after !== 'oldest' && Number(cursor) <= Number(after)) return false
    after = cursor
    onCursor?.(cursor)
    return true
  }

  for (let emptyBreaks = 0; emptyBreaks < emptyBreaksMax; ) {
    const before = after
    try {
      const query = {
        ...(after !== undefined && { after }),
        ...(types !== undefined && types.length > 0 && { types: types.join(',') }),
        ...(!live && { live: 'no' as const }),
      }
      const { body } = await client.open(streamRoutes.events, { query }, { signal })
      last = undefined
      for await (const { event, data, id } of body === null ? [] : readMessages(body, quietMsMax)) {
        const value = data === undefined ? undefined : parse(data)
        if (event === 'end' && Value.Check(streamEnd, value)) {
          reached(value.cursor)
          if (value.reason === 'caughtUp' && !live) return
          break
        }
        if (data === undefined) {
          if (id !== undefined && /^(0|[1-9][0-9]{0,14})$/.test(id)) reached(id)
        } else if (!Value.Check(streamEventView, value)) {
          throw new TypeError(`not an event: ${data.slice(0, 200)}`)
        } else if (reached(value.cursor)) yield value
      }
    } catch (error) {
      const isFinal = error instanceof ApiError && error.problem.status !== 503
      if (isFinal || signal?.aborted === true) throw error
      // The line broke, or the server restarts: go on from the last cursor that came.
      last = error
    }
    emptyBreaks = after !== before ? 0 : emptyBreaks + 1
    if (emptyBreaks < emptyBreaksMax) await wait(pauseMs * 2 ** emptyBreaks)
    signal?.throwIfAborted()
  }
  if (last instanceof UnreachableError || last instanceof UnexpectedAnswerError) throw last
  throw new ApiError('overloaded', `the events broke off ${emptyBreaksMax} times in a row`, { cause: last })
}
