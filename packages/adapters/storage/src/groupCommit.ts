/**
 * Coalesces writes: while one commit is in flight, those that arrive wait and go together in the next, with one
 * fsync for all that asked for one. Under load the cost of an fsync is shared; alone, a write waits for nobody.
 */
import { waitingBytesMax } from './bounds.ts'
import type { EncodedBatch } from './engine.ts'
import { StoreError } from './storeError.ts'

/** A group takes no further batch beyond this; one larger batch goes alone. */
const groupBytesMax = 8 * 1024 * 1024

interface Waiting {
  readonly batch: EncodedBatch
  /** Kept apart from the batch, whose buffer is gone once it was transferred. */
  readonly bytes: number
  readonly sync: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class GroupCommit {
  readonly #commit: (batches: readonly EncodedBatch[], sync: boolean) => Promise<void>
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #running: Promise<void> | undefined

  constructor(commit: (batches: readonly EncodedBatch[], sync: boolean) => Promise<void>) {
    this.#commit = commit
  }

  write(batch: EncodedBatch, sync: boolean): Promise<void> {
    const bytes = batch.byteLength
    if (this.#waiting.length > 0 && this.#waitingBytes + bytes > waitingBytesMax) {
      const message = `${this.#waitingBytes} bytes are waiting to be written: try again once they are`
      return Promise.reject(new StoreError('overloaded', message))
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ batch, bytes, sync, resolve, reject })
    this.#waitingBytes += bytes
    this.#running ??= this.#run()
    return promise
  }

  /** Resolves when everything accepted so far has been committed or refused. */
  async drain(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    // One turn later, so that writes begun side by side share the first commit too.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const group = this.#take()
      try {
        await this.#commit(
          group.map((waiting) => waiting.batch),
          group.some((waiting) => waiting.sync),
        )
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#running = undefined
  }

  #take(): Waiting[] {
    let count = 0
    let bytes = 0
    for (const waiting of this.#waiting) {
      if (count > 0 && bytes + waiting.bytes > groupBytesMax) break
      count += 1
      bytes += waiting.bytes
    }
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }
}
