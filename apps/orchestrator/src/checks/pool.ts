/**
 * Checks that would hold up the loop, spread over threads. The queue is bounded and fair; bytes are read when a thread is free for
 * them and handed over rather than shared. A thread that dies, or takes far longer than the work explains, is replaced and its check
 * tried once more; after that nothing is said about the answer.
 */
import type { Digest } from '@shardy/protocol'
import type { Clock } from '../clock.ts'
import { FairQueue } from './fairQueue.ts'
import { ownCopy } from './ownCopy.ts'
import type { Asked, Finding, Question, Reply } from './question.ts'

export interface Thread {
  post(asked: Asked, transfer: readonly ArrayBufferLike[]): void
  close(): void
}

export interface ThreadEvents {
  said(reply: Reply): void
  died(reason: string): void
}

export type OpenThread = (events: ThreadEvents) => Thread

export interface Job {
  /** Whom it belongs to: nobody's checks wait behind those of one who brings many. */
  readonly flows: readonly string[]
  /** Multiply-adds, about. */
  readonly cost: number
  /** Asked for when its turn comes; undefined when nobody waits for it any more. */
  load(): Promise<Question | undefined>
  blob(digest: Digest): Promise<Uint8Array>
  /** `postponed`: nothing was found out, for a reason that is over after a while. */
  done(
    finding:
      | Finding
      | { readonly kind: 'unwanted' }
      | { readonly kind: 'postponed'; readonly reason: string },
  ): void
  /** Others make room for it: an audit that could be crowded out would be none. */
  readonly isAudit?: boolean
}

export interface PoolParts {
  readonly open: OpenThread
  readonly threads: number
  readonly clock: Clock
  /** Lets the loop turn. */
  readonly pause: () => Promise<void>
  readonly queuedMax?: number
  /** Tells of a thread that was replaced. */
  replaced?(reason: string): void
}

export interface Pool {
  add(job: Job): void
  /** Jobs that wait for a thread, and those that have one. */
  waiting(): number
  running(): number
  /** Ends the threads; what was not found will never be. */
  close(): void
}

export const queuedMaxDefault = 4_096
/** A check is given up after this long and a millisecond for so much work, a tenth of what one slow core does. */
const hangMs = 60_000
const costPerMs = 100_000
const triesMax = 2

interface Running {
  readonly id: number
  readonly job: Job
  cancelTimer: () => void
}

interface Slot {
  thread: Thread | undefined
  running: Running | undefined
}

interface Waiting {
  readonly job: Job
  readonly tries: number
}

export function createPool(parts: PoolParts): Pool {
  const { clock, open, pause } = parts
  const queue = new FairQueue<Waiting>(parts.queuedMax ?? queuedMaxDefault, ({ job }) => job.isAudit === true)
  const slots = Array.from({ length: Math.max(1, parts.threads) }, (): Slot => {
    return { thread: undefined, running: undefined }
  })
  let ids = 0
  let closed = false

  function enqueue(waiting: Waiting): void {
    const { job } = waiting
    const dropped = queue.push(waiting, job.flows, job.cost)
    dropped?.job.done({ kind: 'postponed', reason: 'too many checks wait' })
  }

  function pump(): void {
    for (const slot of slots) {
      if (closed) return
      if (slot.running !== undefined) continue
      const next = queue.pop()
      if (next === undefined) return
      void run(slot, next)
    }
  }

  async function run(slot: Slot, { job, tries }: Waiting): Promise<void> {
    const id = ++ids
    const running: Running = { id, job, cancelTimer: () => {} }
    slot.running = running
    const isMine = (): boolean => !closed && slot.running === running

    function finish(finding: Parameters<Job['done']>[0]): void {
      if (!isMine()) return
      running.cancelTimer()
      slot.running = undefined
      job.done(finding)
      pump()
    }

    /** A thread whose memory may be broken, or which hangs, is not asked again. */
    function lose(thread: Thread | undefined, reason: string): void {
      if (closed || slot.thread !== thread) return
      slot.thread = undefined
      thread?.close()
      parts.replaced?.(reason)
      const lost = slot.running
      if (lost === undefined) return
      lost.cancelTimer()
      slot.running = undefined
      if (tries + 1 < triesMax) enqueue({ job: lost.job, tries: tries + 1 })
      else lost.job.done({ kind: 'postponed', reason: `its thread was lost: ${reason}` })
      pump()
    }

    try {
      const question = await job.load()
      if (question === undefined) return finish({ kind: 'unwanted' })
      const [asked, transfer] = await handOver(question)
      if (!isMine()) return
      slot.thread ??= openThread(slot)
      const { thread } = slot
      const limitMs = hangMs + job.cost / costPerMs
      running.cancelTimer = clock.after(limitMs, () => lose(thread, `it took more than ${limitMs} ms`))
      listeners.set(slot, { said, died: (reason) => lose(thread, reason) })
      thread.post({ kind: 'ask', id, question: asked }, transfer)
    } catch (error) {
      finish({ kind: 'failed', reason: String(error) })
    }

    async function said(reply: Reply): Promise<void> {
      if (reply.id !== id || !isMine()) return
      if (reply.kind === 'found') return finish(reply.finding)
      try {
        const blobs = new Map<Digest, Uint8Array>()
        for (const digest of reply.digests) blobs.set(digest, await ownCopy(await job.blob(digest), pause))
        if (!isMine()) return
        slot.thread?.post(
          { kind: 'bring', id, blobs },
          [...blobs.values()].map(({ buffer }) => buffer),
        )
      } catch (error) {
        // The thread waits for what will not come; the next question takes its place.
        finish({ kind: 'failed', reason: String(error) })
      }
    }
  }

  /** Who hears what a slot's thread says: the check that it has. */
  const listeners = new Map<Slot, { said(reply: Reply): unknown; died(reason: string): void }>()

  function openThread(slot: Slot): Thread {
    const thread: Thread = open({
      said: (reply) => void (slot.thread === thread && listeners.get(slot)?.said(reply)),
      died: (reason) => void (slot.thread === thread && listeners.get(slot)?.died(reason)),
    })
    return thread
  }

  async function handOver(question: Question): Promise<readonly [Question, readonly ArrayBufferLike[]]> {
    const transfer: ArrayBufferLike[] = []
    const own = async (bytes: Uint8Array): Promise<Uint8Array> => {
      const copy = await ownCopy(bytes, pause)
      transfer.push(copy.buffer)
      return copy
    }
    const ownAll = async (all: readonly Uint8Array[]): Promise<readonly Uint8Array[]> => {
      const copies: Uint8Array[] = []
      for (const bytes of all) copies.push(await own(bytes))
      return copies
    }
    if (question.kind === 'floats') {
      return [{ ...question, outputs: await ownAll(question.outputs) }, transfer]
    }
    const { claimed } = question
    const input = await own(question.input)
    if (claimed.kind === 'digest') return [{ ...question, input }, transfer]
    const output = await own(claimed.output)
    const transcript = await ownAll(claimed.transcript)
    return [{ ...question, input, claimed: { ...claimed, output, transcript } }, transfer]
  }

  return {
    add(job) {
      if (closed) return
      enqueue({ job, tries: 0 })
      pump()
    },
    waiting: () => queue.length,
    running: () => slots.filter(({ running }) => running !== undefined).length,
    close() {
      closed = true
      for (const { thread, running } of slots) {
        running?.cancelTimer()
        thread?.close()
      }
    },
  }
}
