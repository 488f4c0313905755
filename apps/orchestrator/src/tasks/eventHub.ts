/** Who waits for a task's events. Only committed events get here; what a listener missed it reads from the archive. */
import type { EventRecord } from '@shardy/dispatch'
import type { TaskId } from '@shardy/protocol'

export interface EventHub {
  publish(event: EventRecord): void
  /** The returned function ends it. */
  subscribe(taskId: TaskId, listener: (event: EventRecord) => void): () => void
}

export function createEventHub(): EventHub {
  const listeners = new Map<TaskId, Set<(event: EventRecord) => void>>()
  return {
    publish(event) {
      for (const listener of listeners.get(event.taskId) ?? []) listener(event)
    },
    subscribe(taskId, listener) {
      const those = listeners.get(taskId) ?? new Set()
      listeners.set(taskId, those.add(listener))
      return () => {
        those.delete(listener)
        if (those.size === 0 && listeners.get(taskId) === those) listeners.delete(taskId)
      }
    },
  }
}
