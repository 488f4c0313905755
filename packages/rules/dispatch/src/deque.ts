/** A queue over an array: both ends and a walk, without moving what is behind the head each time. */
export class Deque<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  first(): T | undefined {
    return this.#items[this.#head]
  }

  at(index: number): T | undefined {
    return this.#items[this.#head + index]
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Drops what the test says at the head, and, when much of the rest is stale, there too. */
  prune(isStale: (item: T) => boolean): void {
    for (let item = this.first(); item !== undefined && isStale(item); item = this.first()) this.shift()
  }

  sweep(isStale: (item: T) => boolean): void {
    const kept: T[] = []
    for (let index = this.#head; index < this.#items.length; index++) {
      const item = this.#items[index]
      if (item !== undefined && !isStale(item)) kept.push(item)
    }
    this.#items = kept
    this.#head = 0
  }
}
