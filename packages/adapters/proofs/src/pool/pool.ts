/**
 * Verification on threads, so that the loop that asks never stands still. Who asks says for whom: proofs of one submitter are batched
 * with each other, as `turns.ts` decides. What is refused for its form alone never reaches a thread. A thread that dies is replaced, and
 * what it had is tried once more.
 */

import { refuseLength } from '../groth16/proofJson.ts'
import { parseVerifyingKey } from '../groth16/verifyingKey.ts'
import type { ProofRefusal, Verdict } from '../refusal.ts'
import { type Outcome, refuse } from '../refusal.ts'
import { refuseSignals } from '../signals.ts'
import type { Statement } from '../system.ts'
import { encodeBatch, type Reply } from './message.ts'
import { type OpenThread, openHostThread, type Thread } from './openThread.ts'
import { createTurns, step, type TurnInput } from './turns.ts'

export interface VerifierPoolParts {
  /** The verifying key's JSON, parsed. */
  readonly key: unknown
  readonly threads: number
  readonly queuedMax?: number
  readonly open?: OpenThread
  /** Tells of a thread that was replaced. */
  readonly replaced?: (reason: string) => void
}

export interface VerifierPool {
  readonly signalCount: number
  /** Rejects with a `VerifierPoolError` when nothing could be found out; never because of what is in the statement. */
  verify(submitter: string, statement: Statement): Promise<Verdict>
  /** Proofs that wait for a thread, and those that have one. */
  waiting(): number
  running(): number
  close(): void
}

/** The pool was closed, or threads died on the batch twice: it is not known whether the proof is good. */
export class VerifierPoolError extends Error {
  override readonly name = 'VerifierPoolError'
}

export const queuedMaxDefault = 4_096
const rememberedMax = 16_384
const triesMax = 2

interface Waiting {
  readonly statement: Statement
  readonly resolve: (verdict: Verdict) => void
  readonly reject: (error: Error) => void
}

interface Batch {
  readonly id: number
  readonly submitter: string
  readonly items: readonly Waiting[]
  readonly tries: number
}

interface Slot {
  thread: Thread | undefined
  batch: Batch | undefined
}

export async function openVerifierPool(parts: VerifierPoolParts): Promise<Outcome<VerifierPool>> {
  const key = parseVerifyingKey(parts.key)
  if (!key.ok) return key
  const { signalCount } = key.value
  const open = parts.open ?? openHostThread
  const queuedMax = parts.queuedMax ?? queuedMaxDefault
  const turns = createTurns({ queuedMax, rememberedMax: Math.max(rememberedMax, 2 * queuedMax) })
  const waiting = new Map<number, Waiting>()
  const again: Batch[] = []
  const slots = Array.from({ length: Math.max(1, parts.threads) }, (): Slot => {
    return { thread: undefined, batch: undefined }
  })
  let [ids, batchIds, closed] = [0, 0, false]

  /** Resolves when the thread has taken the key, or refused it. */
  function openThread(slot: Slot): Promise<ProofRefusal | undefined> {
    return new Promise((resolve, reject) => {
      const thread = open({
        said(reply) {
          if (slot.thread !== thread) return
          if (reply.kind === 'opened') resolve(reply.refusal)
          else finish(slot, reply)
        },
        died(reason) {
          if (slot.thread !== thread) return
          reject(new VerifierPoolError(`a thread of the pool died: ${reason}`))
          lose(slot, reason)
        },
      })
      slot.thread = thread
      thread.post({ kind: 'open', key: parts.key }, [])
    })
  }

  function take(input: TurnInput): Omit<Batch, 'id'> | undefined {
    for (const effect of step(turns, input)) {
      if (effect.kind === 'verify')
        return {
          submitter: effect.submitter,
          items: effect.ids.map((id) => withdraw(id)),
          tries: 0,
        }
      withdraw(effect.id).resolve(refuse(effect.code, effect.detail))
    }
    return undefined
  }

  function withdraw(id: number): Waiting {
    const found = waiting.get(id)
    if (found === undefined) throw new Error(`the turns name a proof ${id} that does not wait`)
    waiting.delete(id)
    return found
  }

  function pump(): void {
    for (const slot of slots) {
      if (closed) return
      if (slot.batch !== undefined) continue
      const next = again.shift() ?? take({ kind: 'free' })
      if (next === undefined) return
      if (slot.thread === undefined) openThread(slot).catch(() => {})
      const batch: Batch = { ...next, id: ++batchIds }
      slot.batch = batch
      const bytes = encodeBatch(batch.items.map(({ statement }) => statement))
      slot.thread?.post({ kind: 'verify', id: batch.id, bytes }, [bytes.buffer])
    }
  }

  function finish(slot: Slot, reply: Reply & { readonly kind: 'judged' }): void {
    const { batch } = slot
    if (batch === undefined || batch.id !== reply.id) return
    slot.batch = undefined
    let good = 0
    for (const [index, { resolve }] of batch.items.entries()) {
      const verdict = reply.verdicts[index] as Verdict
      if (verdict.ok) good++
      resolve(verdict)
    }
    step(turns, { kind: 'judged', submitter: batch.submitter, good, bad: batch.items.length - good })
    pump()
  }

  /** A thread whose memory may be broken is not asked again. */
  function lose(slot: Slot, reason: string): void {
    const { thread, batch } = slot
    slot.thread = undefined
    slot.batch = undefined
    thread?.close()
    if (closed) return
    parts.replaced?.(reason)
    if (batch !== undefined && batch.tries + 1 < triesMax) again.push({ ...batch, tries: batch.tries + 1 })
    else
      for (const { reject } of batch?.items ?? [])
        reject(new VerifierPoolError(`threads of the pool died on this batch ${triesMax} times: ${reason}`))
    pump()
  }

  function close(): void {
    closed = true
    const error = new VerifierPoolError('the pool was closed')
    for (const { thread, batch } of slots) {
      thread?.close()
      for (const { reject } of batch?.items ?? []) reject(error)
    }
    for (const { items } of again) for (const { reject } of items) reject(error)
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }

  const refusals = await Promise.all(slots.map(openThread)).catch((error: unknown) => {
    close()
    throw error
  })
  const refusal = refusals.find((one) => one !== undefined)
  if (refusal !== undefined) {
    close()
    return { ok: false, refusal }
  }

  return {
    ok: true,
    value: {
      signalCount,
      async verify(submitter, statement) {
        if (closed) throw new VerifierPoolError('the pool was closed')
        const refused = refuseLength(statement.proof) ?? refuseSignals(statement.signals, signalCount)
        if (refused !== undefined) return refused
        // Its own copy, which `slice` of a Buffer is not: what is judged may not change while it waits.
        const own = { proof: new Uint8Array(statement.proof), signals: [...statement.signals] }
        return new Promise<Verdict>((resolve, reject) => {
          const id = ++ids
          waiting.set(id, { statement: own, resolve, reject })
          take({ kind: 'arrived', id, submitter })
          pump()
        })
      },
      waiting: () => waiting.size + again.reduce((sum, { items }) => sum + items.length, 0),
      running: () => slots.reduce((sum, { batch }) => sum + (batch?.items.length ?? 0), 0),
      close,
    },
  }
}
