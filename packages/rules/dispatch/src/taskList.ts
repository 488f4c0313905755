/**
 * A queue that is threaded through the tasks themselves: leaving it from the middle costs nothing and leaves nothing behind.
 * A task stands in one list at a time. The cursor goes round, so that who looks at a part of a long list each time sees
 * all of it in the end.
 */

export interface Linked<T> {
  before: T | undefined
  after: T | undefined
}

export class TaskList<Task extends Linked<Task>> {
  #first: Task | undefined
  #last: Task | undefined
  #cursor: Task | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): Task | undefined {
    return this.#first
  }

  push(task: Task): void {
    task.before = this.#last
    task.after = undefined
    if (this.#last === undefined) this.#first = task
    else this.#last.after = task
    this.#last = task
    this.#size++
  }

  remove(task: Task): void {
    const { before, after } = task
    if (this.#cursor === task) this.#cursor = after
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    task.before = undefined
    task.after = undefined
    this.#size--
  }

  /** The first that the test passes: of the oldest so many, and of as many more as follow the cursor. */
  find(passes: (task: Task) => boolean, looksMax: number): Task | undefined {
    let task = this.#first
    for (let looks = 0; looks < looksMax && task !== undefined; looks++) {
      if (passes(task)) return task
      task = task.after
    }
    if (task === undefined) return undefined
    let next = this.#cursor ?? task
    for (let looks = 0; looks < looksMax; looks++) {
      if (passes(next)) return next
      next = next.after ?? task
    }
    this.#cursor = next
    return undefined
  }

  *[Symbol.iterator](): Generator<Task> {
    for (let task = this.#first; task !== undefined; task = task.after) yield task
  }
}
