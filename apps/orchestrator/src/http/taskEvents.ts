/** A task's events as a stream: first what is on disk, then what is committed while somebody listens. */
import { ApiError, type EventView, isFinalEvent } from '@shardy/api'
import type { EventRecord } from '@shardy/dispatch'
import type { TaskId } from '@shardy/protocol'
import type { Services } from '../orchestrator.ts'

function viewEvent(event: EventRecord): EventView {
  const { sequence, atMs, type, deliveryId, workerId, outputDigest, detail } = event
  return {
    sequence,
    atMs,
    type,
    ...(deliveryId && { deliveryId }),
    ...(workerId && { workerId }),
    // An answer is shown with the verdict and not before: somebody who listens could repeat it.
    ...(outputDigest && type !== 'answered' && { outputDigest }),
    ...(detail !== '' && { detail }),
  }
}

/** A listener that does not read is let go; it resumes from the last event it had. */
const waitingMax = 1_000
/** A comment now and then keeps proxies from closing a quiet line. */
const quietMs = 15_000

export function streamEvents(services: Services, taskId: TaskId, after: number): Response {
  const { archive, clock, dispatcher, events, log } = services
  const encoder = new TextEncoder()
  let sendTo: ReadableStreamDefaultController<Uint8Array> | undefined
  let last = after
  /** What is published while the archive is being read. */
  let early: EventRecord[] | undefined = []
  let cancelQuiet = (): void => {}

  const unsubscribe = events.subscribe(taskId, (event) => {
    if (early === undefined) send(event)
    else if (early.push(event) > waitingMax) end()
  })
  if (unsubscribe === undefined) {
    throw new ApiError('overloaded', { detail: 'too many listen to events already', retryAfterMs: 5_000 })
  }

  function end(): void {
    if (sendTo === undefined) return
    const ended = sendTo
    sendTo = undefined
    unsubscribe?.()
    cancelQuiet()
    try {
      ended.close()
    } catch {
      // The reader has gone already.
    }
  }

  function write(text: string): void {
    try {
      sendTo?.enqueue(encoder.encode(text))
    } catch {
      end()
    }
  }

  function send(event: EventRecord): void {
    const view = viewEvent(event)
    if (view.sequence > last) {
      last = view.sequence
      write(`id: ${view.sequence}\nevent: ${view.type}\ndata: ${JSON.stringify(view)}\n\n`)
    }
    if (isFinalEvent(view) || (sendTo?.desiredSize ?? 0) < -waitingMax) end()
  }

  function keepOpen(): void {
    cancelQuiet = clock.after(quietMs, () => {
      write(': still here\n\n')
      if (sendTo !== undefined) keepOpen()
    })
  }

  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      sendTo = controller
      // The answer's head goes out with the first bytes, and there may be no event for long.
      write(': listening\n\n')
      try {
        for (const event of await archive.events(taskId, after)) send(event)
        for (const event of early ?? []) send(event)
        early = undefined
        // Events are published in the same turn in which the task leaves the state, so none can be missing now.
        if (!dispatcher.state().tasks.has(taskId)) end()
        else if (sendTo !== undefined) keepOpen()
      } catch (error) {
        log.error('eventsNotStreamed', error, { taskId })
        end()
      }
    },
    cancel: end,
  })
  return new Response(stream, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
  })
}
