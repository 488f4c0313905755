/**
 * Opened cells of benchmarks computed again, in a thread of its own: what takes ten milliseconds of a core must not hold up
 * everybody's frames. One check at a time; what the thread loses is `unknown`, which is held against nobody.
 */
import type { Verdict } from '@shardy/admission'
import type { OpeningsCheck } from '@shardy/compute'

export interface OpeningsJudge {
  /** Whoever comes first should not wait for it to start. */
  prepare(): void
  check(check: OpeningsCheck): Promise<Verdict>
  close(): void
}

export interface ThreadQuestion {
  readonly number: number
  readonly check: OpeningsCheck
}

export interface ThreadAnswer {
  readonly number: number
  readonly verdict: Verdict
}

const answerMsMax = 30_000

/** The thread starts when it is wanted first, and anew after it was lost. */
export function createOpeningsThread(): OpeningsJudge {
  const waiting = new Map<number, (verdict: Verdict) => void>()
  let thread: Worker | undefined
  let asked = 0

  function lose(reason: string): void {
    thread?.terminate()
    thread = undefined
    for (const resolve of waiting.values()) resolve({ kind: 'unknown', reason })
    waiting.clear()
  }

  function start(): Worker {
    const started = new Worker(new URL('./openingsThread.ts', import.meta.url), { type: 'module' })
    started.onmessage = ({ data }: MessageEvent<ThreadAnswer>) => {
      waiting.get(data.number)?.(data.verdict)
      waiting.delete(data.number)
    }
    started.onerror = ({ message }) => {
      if (thread === started) lose(`the thread ended: ${message}`)
    }
    // It keeps nobody from stopping.
    started.unref()
    return started
  }

  return {
    prepare() {
      thread ??= start()
    },
    check: (check) =>
      new Promise((resolve) => {
        thread ??= start()
        const number = asked++
        const timer = setTimeout(() => lose(`no verdict within ${answerMsMax} ms`), answerMsMax)
        waiting.set(number, (verdict) => {
          clearTimeout(timer)
          resolve(verdict)
        })
        const question: ThreadQuestion = { number, check }
        thread.postMessage(question)
      }),
    close: () => lose('the orchestrator is stopping'),
  }
}
