/** Who waits for a task's events. Only committed events get here; what a listener missed it reads from the archive. */
import type { TaskId } from '@shardy/protocol'
import type { Published } from './dispatcher.ts'

export interface EventHub {
  publish(event: Published): void
  /** The returned function ends it; undefined when too many listen already. A listener does not throw. */
  subscribe(taskId: TaskId, listener: (event: Published) => void): (() => void) | undefined
  size(): number
}

const listenersMaxDefault = 10_000

export function createEventHub(listenersMax = listenersMaxDefault): EventHub {
  const listeners = new Map<TaskId, Set<(event: Published) => void>>()
  let size = 0
  return {
    publish(event) {
      for (const listener of [...(listeners.get(event.task.spec.taskId) ?? [])]) listener(event)
    },
    subscribe(taskId, listener) {
      if (size >= listenersMax) return undefined
      const those = listeners.get(taskId) ?? new Set()
      listeners.set(taskId, those.add(listener))
      size++
      return () => {
        if (!those.delete(listener)) return
        size--
        if (those.size === 0) listeners.delete(taskId)
      }
    },
    size: () => size,
  }
}
