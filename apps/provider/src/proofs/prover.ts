/** Proofs made in a thread of their own, which starts when the first is asked for, and anew after it was lost. */
import type { ZkProofPayload } from '@shardy/protocol'
import type { TaskProver } from '@shardy/worker'
import type { Question, Reply } from './message.ts'

interface Waiting {
  readonly resolve: (proofs: readonly ZkProofPayload[]) => void
  readonly reject: (error: Error) => void
}

export interface ThreadProver extends TaskProver {
  close(): void
}

export function openThreadProver(url: string): ThreadProver {
  const waiting = new Map<number, Waiting>()
  let thread: Worker | undefined
  let asked = 0

  function lose(lost: Worker | undefined, reason: string): void {
    if (thread !== lost) return
    thread = undefined
    lost?.terminate()
    for (const { reject } of waiting.values()) reject(new Error(reason))
    waiting.clear()
  }

  function start(): Worker {
    const started = new Worker(new URL('./thread.ts', import.meta.url), { type: 'module' })
    started.onmessage = ({ data }: MessageEvent<Reply>) => {
      const waiter = waiting.get(data.number)
      waiting.delete(data.number)
      if ('failure' in data) waiter?.reject(new Error(data.failure))
      else waiter?.resolve(data.proofs)
    }
    started.onerror = ({ message }) => lose(started, `the thread that makes proofs ended: ${message}`)
    // It keeps nobody from stopping.
    started.unref()
    return started
  }

  return {
    kinds: ['v2'],
    prove: (answers) =>
      new Promise((resolve, reject) => {
        thread ??= start()
        const number = asked++
        waiting.set(number, { resolve, reject })
        const question: Question = { number, url, answers }
        thread.postMessage(question)
      }),
    close: () => lose(thread, 'the provider is stopping'),
  }
}
