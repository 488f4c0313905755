/** Tasks by when something about them falls due next: a binary heap in which each task knows its place. */
import type { Task } from './task.ts'

export class DueHeap {
  readonly #tasks: Task[] = []

  first(): Task | undefined {
    return this.#tasks[0]
  }

  /** Puts the task where `dueAtMs` belongs, whether it was here or not. */
  put(task: Task, dueAtMs: number): void {
    if (task.dueIndex < 0) {
      task.dueAtMs = dueAtMs
      task.dueIndex = this.#tasks.push(task) - 1
      this.#rise(task.dueIndex)
      return
    }
    const before = task.dueAtMs
    task.dueAtMs = dueAtMs
    if (dueAtMs < before) this.#rise(task.dueIndex)
    else if (dueAtMs > before) this.#sink(task.dueIndex)
  }

  remove(task: Task): void {
    const index = task.dueIndex
    if (index < 0) return
    task.dueIndex = -1
    const last = this.#tasks.pop()
    if (last === undefined || last === task) return
    this.#tasks[index] = last
    last.dueIndex = index
    this.#rise(index)
    this.#sink(last.dueIndex)
  }

  #rise(from: number): void {
    const tasks = this.#tasks
    const task = tasks[from] as Task
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = tasks[parent] as Task
      if (!isSooner(task, above)) break
      tasks[index] = above
      above.dueIndex = index
      index = parent
    }
    tasks[index] = task
    task.dueIndex = index
  }

  #sink(from: number): void {
    const tasks = this.#tasks
    const task = tasks[from] as Task
    let index = from
    for (;;) {
      let child = 2 * index + 1
      if (child >= tasks.length) break
      if (child + 1 < tasks.length && isSooner(tasks[child + 1] as Task, tasks[child] as Task)) child++
      const below = tasks[child] as Task
      if (!isSooner(below, task)) break
      tasks[index] = below
      below.dueIndex = index
      index = child
    }
    tasks[index] = task
    task.dueIndex = index
  }
}

/** Ids break ties, so that the same history falls due in the same order. */
function isSooner(left: Task, right: Task): boolean {
  return left.dueAtMs !== right.dueAtMs ? left.dueAtMs < right.dueAtMs : left.spec.taskId < right.spec.taskId
}
