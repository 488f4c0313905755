/** A task's events as a stream: first what is on disk, then what is committed while somebody listens. */
import { ApiError, type EventView, isFinalEvent } from '@shardy/api'
import type { TaskRecord } from '@shardy/dispatch'
import type { TaskId } from '@shardy/protocol'
import type { Services } from '../orchestrator.ts'
import type { Viewer } from '../telemetry/follower.ts'
import { findTask } from './taskView.ts'

export function viewEvent(
  { history, deliveries }: Pick<TaskRecord, 'history' | 'deliveries'>,
  sequence: number,
): EventView | undefined {
  const entry = history[sequence - 1]
  if (entry === undefined) return undefined
  const { atMs, type, attempt, outputDigest, detail } = entry
  const delivery = attempt === 0 ? undefined : deliveries[attempt - 1]
  return {
    sequence,
    atMs,
    type,
    ...(delivery && { deliveryId: delivery.deliveryId, workerId: delivery.workerId }),
    // An answer is shown with the verdict and not before: somebody who listens could repeat it.
    ...(outputDigest && type !== 'answered' && { outputDigest }),
    ...(detail !== '' && { detail }),
  }
}

/** A listener that does not read is let go; it resumes from the last event it had. */
const waitingMax = 1_000
/** A comment now and then keeps proxies from closing a quiet line. */
const quietMs = 15_000

export function streamEvents(services: Services, taskId: TaskId, after: number, viewer: Viewer): Response {
  const { clock, dispatcher, events, log } = services
  const encoder = new TextEncoder()
  let sendTo: ReadableStreamDefaultController<Uint8Array> | undefined
  let last = after
  /** What is published while the archive is being read. */
  let early: EventView[] | undefined = []
  let cancelQuiet = (): void => {}

  const unsubscribe = events.subscribe(
    taskId,
    ({ task, sequence }) => {
      const view = viewEvent(task, sequence)
      if (view === undefined) return
      if (early === undefined) send(view)
      else if (early.push(view) > waitingMax) end()
    },
    viewer.requesterId,
  )
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
    // The key may have been revoked, or have expired, while its reader stayed.
    if (!viewer.isAllowed()) return end()
    try {
      sendTo?.enqueue(encoder.encode(text))
    } catch {
      end()
    }
  }

  function send(view: EventView): void {
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
        // What is decided but not durable yet is published when it is, and comes to the listener above.
        await dispatcher.caughtUp()
        const task = await findTask(services, taskId)
        for (let sequence = after + 1; task && sequence <= task.history.length; sequence++) {
          const view = viewEvent(task, sequence)
          if (view !== undefined) send(view)
        }
        for (const view of early ?? []) send(view)
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
