/**
 * Waits for many tasks over one stream of events. The stream is opened from the newest event on before any task is looked
 * at, so that an end between the two is not missed; tasks are looked at in bounded numbers at a time. A key that may not
 * read events still may look at its tasks, so they are then looked at again and again.
 */
import { ApiError, type FollowEventsOptions, type StreamEventView, type TaskView } from '@shardy/api'
import { finalEventTypes, type TaskStatus } from '@shardy/protocol'

/** What of a requester is needed for it. */
export interface Watcher {
  get(taskId: string): Promise<TaskView>
  events(options?: FollowEventsOptions): AsyncGenerator<StreamEventView>
}

export interface WaitManyOptions {
  /** Everything that happens to one of the tasks. */
  readonly onEvent?: ((event: StreamEventView) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Waits between two looks; a test gives its own. */
  readonly wait?: ((ms: number) => Promise<void>) | undefined
}

const looksAtOnce = 16
/** Between two looks at everything that is open: the more there is to look at, the longer, within these bounds. */
const pollMsPerTask = 20
const pollMsMin = 1_000
const pollMsMax = 30_000
const liveStatuses: readonly TaskStatus[] = ['waiting', 'running']
export const isEndedView = ({ status }: TaskView): boolean => !liveStatuses.includes(status)
const endings: readonly string[] = finalEventTypes

const codeOf = (error: unknown) => (error instanceof ApiError ? error.problem.code : undefined)

export async function* waitMany(
  requester: Watcher,
  taskIds: readonly string[],
  { onEvent, signal, wait = pause }: WaitManyOptions = {},
): AsyncGenerator<TaskView> {
  const open = new Set(taskIds)
  async function* look(ids: readonly string[]): AsyncGenerator<TaskView> {
    for (let from = 0; from < ids.length; from += looksAtOnce) {
      signal?.throwIfAborted()
      const tasks = await Promise.all(ids.slice(from, from + looksAtOnce).map((id) => requester.get(id)))
      for (const task of tasks) if (isEndedView(task) && open.delete(task.taskId)) yield task
    }
  }
  async function* follow(): AsyncGenerator<TaskView> {
    let after = await newestCursor(requester, signal)
    yield* look([...open])
    while (open.size > 0) {
      signal?.throwIfAborted()
      try {
        for await (const event of requester.events({ after, live: true, signal })) {
          after = event.cursor
          if (event.taskId === undefined || !open.has(event.taskId)) continue
          onEvent?.(event)
          if (endings.includes(event.type)) yield* look([event.taskId])
          if (open.size === 0) return
        }
      } catch (error) {
        if (codeOf(error) !== 'cursorTooOld') throw error
        // What was let go of meanwhile may have held an ending: the tasks themselves know.
        after = await newestCursor(requester, signal)
      }
      yield* look([...open])
    }
  }
  try {
    yield* follow()
  } catch (error) {
    if (codeOf(error) !== 'missingScope') throw error
    for (;;) {
      // That a task may not be looked at either is no reason to go on.
      yield* look([...open])
      if (open.size === 0) return
      await wait(Math.min(pollMsMax, Math.max(pollMsMin, pollMsPerTask * open.size)))
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Where the stream of events stands now. */
async function newestCursor(
  requester: Pick<Watcher, 'events'>,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  let newest: string | undefined
  const onCursor = (cursor: string): void => {
    newest = cursor
  }
  for await (const event of requester.events({ live: false, onCursor, signal })) newest = event.cursor
  return newest
}
