/**
 * The tasks of one class that want deliveries (spec D7). Started ones, which lack replicas or are tried again, go first,
 * oldest first. Fresh ones are shared out among their requesters: each has the same claim, and priority orders a
 * requester's own tasks alone, so that nobody gains by calling everything urgent.
 */
import { priorityMax, type RequesterId } from '@shardy/protocol'
import type { TaskSpec } from './record.ts'
import { type Linked, TaskList } from './taskList.ts'

/** A requester's account with the scheduler, over all classes: who has had less work done goes first. */
export interface Flow {
  readonly requesterId: RequesterId
  virtualTime: number
  /** Its tasks that are live, in whatever state. */
  liveTasks: number
  /** Classes of tasks that are there because of it. */
  classes: number
  waiting: number
}

/** What the queue has to know of a task. */
export interface Queued<T> extends Linked<T> {
  readonly spec: Pick<TaskSpec, 'taskId' | 'requesterId' | 'priority'>
  /** In which queue it stands. */
  place: 'none' | 'fresh' | 'started'
}

interface Line<Task extends Queued<Task>> {
  readonly flow: Flow
  readonly byPriority: (TaskList<Task> | undefined)[]
  size: number
  /** What `flow.virtualTime` was when the line was last put in order. */
  orderedAt: number
}

export class ClassQueue<Task extends Queued<Task>> {
  readonly started = new TaskList<Task>()
  #fresh = 0
  readonly #lines = new Map<RequesterId, Line<Task>>()
  /** A heap of the lines that are not empty, by the virtual time when they were put in order: never later than now. */
  readonly #order: Line<Task>[] = []

  /** Tasks that want deliveries. */
  get size(): number {
    return this.started.size + this.#fresh
  }

  addFresh(task: Task, flow: Flow): void {
    task.place = 'fresh'
    let line = this.#lines.get(flow.requesterId)
    if (line === undefined) {
      line = { flow, byPriority: [], size: 0, orderedAt: 0 }
      this.#lines.set(flow.requesterId, line)
    }
    let tasks = line.byPriority[task.spec.priority]
    if (tasks === undefined) {
      tasks = new TaskList<Task>()
      line.byPriority[task.spec.priority] = tasks
    }
    tasks.push(task)
    flow.waiting++
    this.#fresh++
    if (++line.size === 1) this.#raise(line)
  }

  addStarted(task: Task): void {
    task.place = 'started'
    this.started.push(task)
  }

  /** The task wants nothing more, or has ended. */
  leave(task: Task): void {
    if (task.place === 'started') {
      this.started.remove(task)
    } else if (task.place === 'fresh') {
      const { requesterId, priority } = task.spec
      const line = this.#lines.get(requesterId)
      const tasks = line?.byPriority[priority]
      if (line === undefined || tasks === undefined) throw new Error(`${task.spec.taskId} stands in no line`)
      tasks.remove(task)
      this.#fresh--
      line.flow.waiting--
      if (--line.size === 0) this.#lines.delete(requesterId)
    }
    task.place = 'none'
  }

  /** The virtual time of whoever is served next; undefined when no fresh task waits. */
  nextVirtualTime(): number | undefined {
    return this.#settleTop()?.flow.virtualTime
  }

  /** The next fresh task. It stays where it is until `leave`. */
  nextFresh(): Task | undefined {
    const line = this.#settleTop()
    if (line === undefined) return undefined
    for (let priority = priorityMax; priority >= 0; priority--) {
      const task = line.byPriority[priority]?.first
      if (task !== undefined) return task
    }
    return undefined
  }

  *waiting(): Generator<Task> {
    yield* this.started
    for (const { byPriority } of this.#lines.values()) {
      for (const tasks of byPriority) if (tasks !== undefined) yield* tasks
    }
  }

  /** The line whose requester is served next, with its place in order brought up to date. */
  #settleTop(): Line<Task> | undefined {
    for (;;) {
      const top = this.#order[0]
      if (top === undefined) return undefined
      if (top.size === 0) this.#dropTop()
      else if (top.orderedAt < top.flow.virtualTime) {
        top.orderedAt = top.flow.virtualTime
        this.#sink(0)
      } else return top
    }
  }

  #raise(line: Line<Task>): void {
    line.orderedAt = line.flow.virtualTime
    const order = this.#order
    let index = order.push(line) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = order[parent] as Line<Task>
      if (!isBefore(line, above)) break
      order[index] = above
      index = parent
    }
    order[index] = line
  }

  #dropTop(): void {
    const last = this.#order.pop()
    if (last === undefined || this.#order.length === 0) return
    this.#order[0] = last
    this.#sink(0)
  }

  #sink(from: number): void {
    const order = this.#order
    const line = order[from] as Line<Task>
    let index = from
    for (;;) {
      let child = 2 * index + 1
      if (child >= order.length) break
      if (child + 1 < order.length && isBefore(order[child + 1] as Line<Task>, order[child] as Line<Task>))
        child++
      if (!isBefore(order[child] as Line<Task>, line)) break
      order[index] = order[child] as Line<Task>
      index = child
    }
    order[index] = line
  }
}

/** Equals are told apart by their ids, so that the same history gives the same order. */
function isBefore<Task extends Queued<Task>>(left: Line<Task>, right: Line<Task>): boolean {
  return left.orderedAt !== right.orderedAt
    ? left.orderedAt < right.orderedAt
    : left.flow.requesterId < right.flow.requesterId
}
