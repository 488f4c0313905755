/** Who waits for a task's events. Only committed events get here; what a listener missed it reads from the archive. */
import type { TaskId } from '@shardy/protocol'
import { createPlaces } from '../telemetry/places.ts'
import type { Published } from './dispatcher.ts'

export interface EventHub {
  publish(event: Published): void
  /** The returned function ends it; undefined when too many listen already, or `who` does too often. A listener does not throw. */
  subscribe(taskId: TaskId, listener: (event: Published) => void, who: string): (() => void) | undefined
  size(): number
}

const listenersMaxDefault = 10_000
const listenersEachMaxDefault = 2_000

export function createEventHub(
  listenersMax = listenersMaxDefault,
  listenersEachMax = listenersEachMaxDefault,
): EventHub {
  const listeners = new Map<TaskId, Set<(event: Published) => void>>()
  const places = createPlaces(listenersMax, listenersEachMax)
  return {
    publish(event) {
      for (const listener of [...(listeners.get(event.task.spec.taskId) ?? [])]) listener(event)
    },
    subscribe(taskId, listener, who) {
      const giveBack = places.take(who)
      if (giveBack === undefined) return undefined
      const those = listeners.get(taskId) ?? new Set()
      listeners.set(taskId, those.add(listener))
      return () => {
        if (!those.delete(listener)) return
        giveBack()
        if (those.size === 0) listeners.delete(taskId)
      }
    },
    size: places.size,
  }
}
