/**
 * The rules of one upload, over any place that holds its bytes: chunks in order, a limit, one append at a time, and
 * a hash of everything at the end. The hash reads back what was stored, so an upload that was continued after a
 * restart is checked like any other.
 */
import type { Digest } from '@shardy/protocol'
import { StoreError } from '../storeError.ts'
import type { AppendChunk, FinishUpload, Upload } from './blobStore.ts'

/** The bytes of one unfinished upload. */
export interface Part {
  size(): number
  /** Adds to the end, wholly or not at all. */
  append(chunk: Uint8Array): Promise<void>
  hash(): Promise<Digest>
  /** Makes it the finished blob, on disk when this resolves. */
  store(): Promise<void>
  keep(): Promise<void>
  remove(): Promise<void>
}

export class PartUpload implements Upload {
  readonly digest: Digest
  readonly #part: Part
  readonly #blobBytesMax: number
  readonly #release: () => void
  #state: 'idle' | 'working' | 'ended' = 'idle'
  #work: Promise<unknown> = Promise.resolve()

  constructor(digest: Digest, part: Part, blobBytesMax: number, release: () => void) {
    this.digest = digest
    this.#part = part
    this.#blobBytesMax = blobBytesMax
    this.#release = release
  }

  receivedBytes(): number {
    return this.#part.size()
  }

  async append(offset: number, chunk: Uint8Array): Promise<AppendChunk> {
    if (this.#checkFree() === 'busy') return { kind: 'busy' }
    const receivedBytes = this.#part.size()
    if (offset !== receivedBytes) return { kind: 'offsetMismatch', receivedBytes }
    if (receivedBytes + chunk.byteLength > this.#blobBytesMax) {
      return { kind: 'tooLarge', blobBytesMax: this.#blobBytesMax }
    }
    await this.#run('idle', () => this.#part.append(chunk))
    return { kind: 'appended', receivedBytes: this.#part.size() }
  }

  async finish(): Promise<FinishUpload> {
    if (this.#checkFree() === 'busy') return { kind: 'busy' }
    return this.#run('ended', async () => {
      const actual = await this.#part.hash().catch(async (error: unknown) => {
        await this.#part.keep()
        throw error
      })
      if (actual !== this.digest) {
        await this.#part.remove()
        return { kind: 'digestMismatch', actual }
      }
      const sizeBytes = this.#part.size()
      await this.#part.store()
      return { kind: 'stored', sizeBytes }
    })
  }

  suspend(): Promise<void> {
    return this.#end(() => this.#part.keep())
  }

  drop(): Promise<void> {
    return this.#end(() => this.#part.remove())
  }

  async #end(act: () => Promise<void>): Promise<void> {
    await this.#work.catch(() => {})
    if (this.#state === 'ended') return
    await this.#run('ended', act)
  }

  #checkFree(): 'idle' | 'busy' {
    if (this.#state === 'ended') throw new StoreError('closed', `The upload of ${this.digest} has ended`)
    return this.#state === 'working' ? 'busy' : 'idle'
  }

  /** A failed append leaves the upload as it was; after a failed ending it can be begun again. */
  async #run<Result>(next: 'idle' | 'ended', act: () => Promise<Result>): Promise<Result> {
    this.#state = 'working'
    const work = act()
    this.#work = work
    try {
      return await work
    } finally {
      this.#state = next
      if (next === 'ended') this.#release()
    }
  }
}
