/**
 * The tasks of one class that want deliveries (spec D7). Started ones, which lack replicas or are tried again, go first,
 * oldest first. Fresh ones are shared out among their requesters: each has the same claim, and priority orders a
 * requester's own tasks alone, so that nobody gains by calling everything urgent.
 */
import { priorityMax, type RequesterId } from '@shardy/protocol'
import { Deque } from './deque.ts'
import type { Task } from './task.ts'

/** A requester's account with the scheduler, over all classes: who has had less work done goes first. */
export interface Flow {
  readonly requesterId: RequesterId
  virtualTime: number
  /** Its tasks that are live, in whatever state. */
  liveTasks: number
  waiting: number
}

interface Line {
  readonly flow: Flow
  readonly byPriority: (Deque<Task> | undefined)[]
  size: number
  /** What `flow.virtualTime` was when the line was last put in order. */
  orderedAt: number
}

export class ClassQueue {
  readonly started = new Deque<Task>()
  #startedLive = 0
  #fresh = 0
  readonly #lines = new Map<RequesterId, Line>()
  /** A heap of the lines that are not empty, by the virtual time when they were put in order: never later than now. */
  readonly #order: Line[] = []

  /** Tasks that want deliveries. */
  get size(): number {
    return this.#startedLive + this.#fresh
  }

  get freshCount(): number {
    return this.#fresh
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
      tasks = new Deque()
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
    this.#startedLive++
  }

  /** The task wants nothing more, or has ended. Where it stood is passed over later. */
  leave(task: Task): void {
    if (task.place === 'started') {
      this.#startedLive--
      task.place = 'none'
      if (this.started.size > 64 && this.started.size > 2 * this.#startedLive) this.started.sweep(isGone)
    } else if (task.place === 'fresh') {
      this.#fresh--
      task.place = 'none'
      const line = this.#lines.get(task.spec.requesterId)
      if (line !== undefined) this.#shrink(line)
    }
  }

  /** The virtual time of whoever is served next; undefined when no fresh task waits. */
  nextVirtualTime(): number | undefined {
    return this.#settleTop()?.flow.virtualTime
  }

  /** The next fresh task that is not refused, looking at no more than `looksMax`. It stays where it is until `leave`. */
  nextFresh(refuses: (task: Task) => boolean, looksMax: number): Task | undefined {
    const line = this.#settleTop()
    if (line === undefined) return undefined
    let looks = 0
    for (let priority = priorityMax; priority >= 0; priority--) {
      const tasks = line.byPriority[priority]
      if (tasks === undefined) continue
      tasks.prune(isNotFresh)
      for (let index = 0; index < tasks.size; index++) {
        const task = tasks.at(index)
        if (task === undefined || task.place !== 'fresh') continue
        if (!refuses(task)) return task
        if (++looks >= looksMax) return undefined
      }
    }
    return undefined
  }

  *waiting(): Generator<Task> {
    for (let index = 0; index < this.started.size; index++) {
      const task = this.started.at(index)
      if (task?.place === 'started') yield task
    }
    for (const { byPriority } of this.#lines.values()) {
      for (const tasks of byPriority) {
        if (tasks === undefined) continue
        for (let index = 0; index < tasks.size; index++) {
          const task = tasks.at(index)
          if (task?.place === 'fresh') yield task
        }
      }
    }
  }

  #shrink(line: Line): void {
    line.flow.waiting--
    if (--line.size > 0) return
    this.#lines.delete(line.flow.requesterId)
  }

  /** The line whose requester is served next, with its place in order brought up to date. */
  #settleTop(): Line | undefined {
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

  #raise(line: Line): void {
    line.orderedAt = line.flow.virtualTime
    const order = this.#order
    let index = order.push(line) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = order[parent] as Line
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
    const line = order[from] as Line
    let index = from
    for (;;) {
      let child = 2 * index + 1
      if (child >= order.length) break
      if (child + 1 < order.length && isBefore(order[child + 1] as Line, order[child] as Line)) child++
      if (!isBefore(order[child] as Line, line)) break
      order[index] = order[child] as Line
      index = child
    }
    order[index] = line
  }
}

/** Equals are told apart by their ids, so that the same history gives the same order. */
function isBefore(left: Line, right: Line): boolean {
  return left.orderedAt !== right.orderedAt
    ? left.orderedAt < right.orderedAt
    : left.flow.requesterId < right.flow.requesterId
}

const isGone = (task: Task): boolean => task.place !== 'started'
const isNotFresh = (task: Task): boolean => task.place !== 'fresh'
