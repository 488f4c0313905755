/** A task's events as a stream: first what is on disk, then what is committed while somebody listens. */
import { type EventView, isFinalEvent } from '@shardy/api'
import type { TaskRecord } from '@shardy/dispatch'
import type { TaskId } from '@shardy/protocol'
import type { Services } from '../orchestrator.ts'
import type { Viewer } from '../telemetry/follower.ts'
import { streamEvents } from './eventStream.ts'

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

export function streamTaskEvents(
  services: Services,
  taskId: TaskId,
  after: number,
  viewer: Viewer,
): Response {
  const { archive, clock, dispatcher, events, log } = services
  return streamEvents<EventView>(
    {
      subscribe: (listener) =>
        events.subscribe(
          taskId,
          ({ task, sequence }) => {
            const view = viewEvent(task, sequence)
            if (view !== undefined) listener(view)
          },
          viewer.requesterId,
        ),
      async read(last) {
        const behind = (task: TaskRecord) =>
          task.history.slice(last).flatMap((_, index) => viewEvent(task, last + index + 1) ?? [])
        const live = dispatcher.state().tasks.get(taskId)
        const views = live && behind(live)
        // What is decided from here on is published when it is durable, and comes to the listener above.
        await dispatcher.caughtUp()
        if (views !== undefined) return views
        const ended = await archive.task(taskId)
        return ended === undefined ? [] : behind(ended)
      },
      isLive: () => dispatcher.state().tasks.has(taskId),
      isLast: isFinalEvent,
      failed: (error) => log.error('eventsNotStreamed', error, { taskId }),
    },
    after,
    viewer,
    clock,
  )
}
