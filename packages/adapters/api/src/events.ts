/** Server-sent events: one task's history as it grows, resumed where it broke off until its last event. */
import type { Client } from './client.ts'
import { orchestratorRoutes } from './orchestrator.ts'
import { ApiError } from './problem.ts'
import { type EventView, finalEventTypes } from './shapes.ts'

/** The `data` of each event in a stream. Comments and other fields are passed over. */
export async function* readEvents(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end)
      text = text.slice(end + 2)
      const data = block
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trimStart())
      if (data.length > 0) yield data.join('\n')
    }
  }
}

export const isFinalEvent = ({ type }: EventView): boolean =>
  (finalEventTypes as readonly string[]).includes(type)

/** Breaks in a row without one new event that a follower puts up with. */
const emptyBreaksMax = 5

export async function* followTask(
  client: Client,
  taskId: string,
  options: { readonly after?: number; readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<EventView> {
  let after = options.after ?? 0
  for (let emptyBreaks = 0; emptyBreaks < emptyBreaksMax; emptyBreaks++) {
    const given = { params: { taskId }, headers: { 'last-event-id': String(after) } }
    const response = await client.open(orchestratorRoutes.taskEvents, given, { signal: options.signal })
    if (response.body === null) break
    try {
      for await (const data of readEvents(response.body)) {
        const event = JSON.parse(data) as EventView
        if (event.sequence <= after) continue
        after = event.sequence
        emptyBreaks = 0
        yield event
        if (isFinalEvent(event)) return
      }
    } catch (error) {
      if (options.signal?.aborted === true) throw error
      // The line broke: go on from the last event that came.
    }
  }
  throw new ApiError('overloaded', `the events of task ${taskId} broke off ${emptyBreaksMax} times in a row`)
}
