/** A task's events as a stream: first what is on disk, then what is committed while somebody listens. */
import type { EventView } from '@shardy/api'
import { isFinalEvent } from '@shardy/api'
import type { EventRecord, TaskRecord } from '@shardy/dispatch'
import { isEnded } from '@shardy/dispatch'
import type { Services } from '../orchestrator.ts'

function viewEvent(event: EventRecord): EventView {
  const { sequence, atMs, type, deliveryId, workerId, outputDigest, detail } = event
  return {
    sequence,
    atMs,
    type,
    ...(deliveryId && { deliveryId }),
    ...(workerId && { workerId }),
    ...(outputDigest && { outputDigest }),
    ...(detail !== '' && { detail }),
  }
}

/** A listener that does not read is let go; it resumes from the last event it had. */
const waitingMax = 1_000
/** A comment now and then keeps proxies from closing a quiet line. */
const quietMs = 15_000

export function streamEvents(services: Services, task: TaskRecord, after: number): Response {
  const { archive, clock, events } = services
  const encoder = new TextEncoder()
  let end = (): void => {}

  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      let last = after
      let early: EventRecord[] | undefined = []
      let ended = false
      let cancelQuiet = (): void => {}
      const unsubscribe = events.subscribe(task.taskId, (event) => {
        if (early === undefined) send(event)
        else if (early.push(event) > waitingMax) end()
      })
      end = () => {
        if (ended) return
        ended = true
        unsubscribe()
        cancelQuiet()
        try {
          controller.close()
        } catch {
          // The reader has gone already.
        }
      }
      function send(event: EventRecord): void {
        if (ended || event.sequence <= last) return
        last = event.sequence
        const view = viewEvent(event)
        const text = `id: ${view.sequence}\nevent: ${view.type}\ndata: ${JSON.stringify(view)}\n\n`
        controller.enqueue(encoder.encode(text))
        if (isFinalEvent(view) || (controller.desiredSize ?? 0) < -waitingMax) end()
      }
      function keepOpen(): void {
        cancelQuiet = clock.after(quietMs, () => {
          if (ended) return
          controller.enqueue(encoder.encode(': still here\n\n'))
          keepOpen()
        })
      }
      try {
        for (const event of await archive.events(task.taskId, after)) send(event)
        for (const event of early) send(event)
        early = undefined
        // Subscribed before the archive was read, so an end that is not in it is still to come.
        if (isEnded(task.status)) end()
        else keepOpen()
      } catch (error) {
        services.log.error('eventsNotStreamed', error, { taskId: task.taskId })
        end()
      }
    },
    cancel: () => end(),
  })
  return new Response(stream, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  })
}
