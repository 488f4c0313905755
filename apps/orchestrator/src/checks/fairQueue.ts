/**
 * What waits for a thread, in an order that is fair to everybody it belongs to: each job starts, in virtual time, when the last one
 * of its worker and the last one of its requester would have ended, had they a thread of their own (start-time fair queueing). So
 * who brings much waits behind itself. The queue is bounded, and what does not fit is taken from whoever is furthest ahead.
 */
interface Entry<T> {
  readonly item: T
  readonly start: number
  readonly sequence: number
}

export class FairQueue<T> {
  readonly #lengthMax: number
  /** A heap: the earliest start first, and of equal ones the first that came. */
  readonly #heap: Entry<T>[] = []
  /** When the last job of each ends, where that is still ahead. */
  readonly #ends = new Map<string, number>()
  #now = 0
  #sequence = 0

  readonly #isKept: (item: T) => boolean

  /** What is kept goes only where nothing else could. */
  constructor(lengthMax: number, isKept: (item: T) => boolean = () => false) {
    this.#lengthMax = lengthMax
    this.#isKept = isKept
  }

  get length(): number {
    return this.#heap.length
  }

  /** `flows` are whom it belongs to. Returns what had to go for it, which may be itself. */
  push(item: T, flows: readonly string[], cost: number): T | undefined {
    let start = this.#now
    for (const flow of flows) start = Math.max(start, this.#ends.get(flow) ?? 0)
    for (const flow of flows) this.#ends.set(flow, start + cost)
    this.#heap.push({ item, start, sequence: this.#sequence++ })
    this.#rise(this.#heap.length - 1)
    if (this.#ends.size > 4 * this.#lengthMax) this.#forgetPast()
    return this.#heap.length > this.#lengthMax ? this.#dropLast() : undefined
  }

  pop(): T | undefined {
    const first = this.#heap[0]
    if (first === undefined) return undefined
    this.#remove(0)
    this.#now = first.start
    if (this.#heap.length === 0) {
      this.#ends.clear()
      this.#now = 0
    }
    return first.item
  }

  #forgetPast(): void {
    for (const [flow, end] of this.#ends) if (end <= this.#now) this.#ends.delete(flow)
  }

  #dropLast(): T | undefined {
    let last = 0
    for (let at = 1; at < this.#heap.length; at++) if (this.#goesBefore(at, last)) last = at
    const entry = this.#heap[last]
    this.#remove(last)
    return entry?.item
  }

  #goesBefore(left: number, right: number): boolean {
    const [one, other] = [this.#heap[left] as Entry<T>, this.#heap[right] as Entry<T>]
    const isKept = this.#isKept(one.item)
    return isKept === this.#isKept(other.item) ? this.#isBefore(right, left) : !isKept
  }

  #isBefore(left: number, right: number): boolean {
    const [one, other] = [this.#heap[left] as Entry<T>, this.#heap[right] as Entry<T>]
    return one.start < other.start || (one.start === other.start && one.sequence < other.sequence)
  }

  #remove(at: number): void {
    const end = this.#heap.pop() as Entry<T>
    if (at === this.#heap.length) return
    this.#heap[at] = end
    this.#sink(at)
    this.#rise(at)
  }

  #rise(from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #sink(from: number): void {
    let at = from
    for (;;) {
      let least = at
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && this.#isBefore(child, least)) least = child
      }
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }

  #swap(left: number, right: number): void {
    const entry = this.#heap[left] as Entry<T>
    this.#heap[left] = this.#heap[right] as Entry<T>
    this.#heap[right] = entry
  }
}
