/** When something about a task falls due next: its deadline, the end of its pause, a lease, a time to reveal. */
import type { DispatchState } from './state.ts'
import type { Task } from './task.ts'

export function reschedule({ due, atMs }: DispatchState, task: Task): void {
  let nextMs: number = task.deadlineMs
  if (task.wants > 0 && task.notBeforeMs > atMs && task.notBeforeMs < nextMs) nextMs = task.notBeforeMs
  for (const { state, dueMs } of task.deliveries) {
    // Who has committed waits for the others, whose leases and whose task's deadline end.
    if ((state === 'leased' || state === 'computing' || state === 'revealing') && dueMs < nextMs)
      nextMs = dueMs
  }
  due.put(task, nextMs)
}
