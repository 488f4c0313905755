/** Proofs made in a thread of their own, which starts when the first is asked for, and anew after it was lost. */
import type { BlockProver, TaskProver } from '@shardy/worker'
import type { Asked, Question, Reply, Work } from './message.ts'

interface Waiting {
  readonly resolve: (made: never) => void
  readonly reject: (error: Error) => void
}

export interface ThreadProver {
  readonly answers: TaskProver
  readonly blocks: BlockProver
}

export function openThreadProver(url: string): ThreadProver {
  const waiting = new Map<number, Waiting>()
  let thread: Worker | undefined
  let questions = 0

  function lose(lost: Worker, reason: string): void {
    if (thread !== lost) return
    thread = undefined
    lost.terminate()
    for (const { reject } of waiting.values()) reject(new Error(reason))
    waiting.clear()
  }

  function start(): Worker {
    const started = new Worker(new URL('./thread.ts', import.meta.url), { type: 'module' })
    started.onmessage = ({ data }: MessageEvent<Reply>) => {
      const waiter = waiting.get(data.number)
      waiting.delete(data.number)
      if ('failure' in data) waiter?.reject(new Error(data.failure))
      else waiter?.resolve(data.made as never)
    }
    started.onerror = ({ message }) => lose(started, `the thread that makes proofs ended: ${message}`)
    // It keeps nobody from stopping.
    started.unref()
    return started
  }

  function ask<Kind extends keyof Work>(
    asked: Extract<Asked, { readonly kind: Kind }>,
  ): Promise<Work[Kind]['made']> {
    return new Promise((resolve, reject) => {
      thread ??= start()
      const number = questions++
      waiting.set(number, { resolve, reject })
      const question = { ...asked, number, url } as Question
      thread.postMessage(question)
    })
  }

  return {
    answers: { kinds: ['v2'], prove: (answers) => ask<'proveAnswers'>({ kind: 'proveAnswers', answers }) },
    blocks: {
      kinds: ['v3'],
      sums: (product, input, tile) => ask<'commitSums'>({ kind: 'commitSums', product, input, tile }),
      prove: (block) => ask<'proveBlock'>({ kind: 'proveBlock', block }),
    },
  }
}
