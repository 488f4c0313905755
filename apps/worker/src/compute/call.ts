/**
 * One compute worker, and the calls made to it. Every call ends: with its answer, with the worker's error, by running
 * out of patience, or because the worker is gone. A thread that has hung answers to nothing, so running out of
 * patience ends the thread and with it every call.
 */
import { ComputeError } from '@shardy/compute'
import type { Answer, AnswerOf, Request } from './message.ts'

/** What a `Worker` is to this file; tests bring a `MessagePort`'s worth of it. */
export interface Thread {
  postMessage(request: Request, transfer: Transferable[]): void
  onAnswer(listener: (answer: Answer) => void): void
  /** The script did not load, or threw where nobody caught it. */
  onFailure(listener: (message: string) => void): void
  terminate(): void
}

export interface Timer {
  /** Calls once after so long, unless the returned function was called before. */
  after(durationMs: number, callback: () => void): () => void
}

export type WithoutCall<R> = R extends unknown ? Omit<R, 'call'> : never

interface Wanted<Kind extends Answer['kind']> {
  readonly answer: Kind
  /** How long the thread may say nothing about the call. Progress counts as a word. */
  readonly patienceMs: number
  readonly transfer?: Transferable[]
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((permille: number) => void) | undefined
}

interface OpenCall {
  readonly hear: (answer: Answer) => void
  readonly reject: (error: ComputeError) => void
}

export interface Calls {
  call<Kind extends Answer['kind']>(
    request: WithoutCall<Exclude<Request, { kind: 'abort' }>>,
    wanted: Wanted<Kind>,
  ): Promise<AnswerOf<Kind>>
  /** Ends the thread and every open call with this error; only the first end counts. */
  end(error: ComputeError): void
  /** Resolves with the error that ended the thread. */
  readonly ended: Promise<ComputeError>
}

/** How long an aborted execution may take to notice. Executors look every few tens of milliseconds. */
export const abortPatienceMs = 5_000

export function openCalls(thread: Thread, { after }: Timer): Calls {
  const open = new Map<number, OpenCall>()
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<ComputeError>()
  let ending: ComputeError | undefined
  let calls = 0

  function end(error: ComputeError): void {
    if (ending !== undefined) return
    ending = error
    thread.terminate()
    for (const { reject } of open.values()) reject(error)
    open.clear()
    resolveEnded(error)
  }

  thread.onAnswer((answer) => open.get(answer.call)?.hear(answer))
  thread.onFailure((message) => end(new ComputeError('deviceLost', `the compute worker failed: ${message}`)))

  return {
    end,
    ended,
    call(request, { answer: wanted, patienceMs, transfer = [], signal, onProgress }) {
      if (ending !== undefined) return Promise.reject(ending)
      calls += 1
      const call = calls
      const { promise, resolve, reject } = Promise.withResolvers<AnswerOf<typeof wanted>>()
      let stopWaiting = () => {}
      const wait = (durationMs: number): void => {
        stopWaiting()
        stopWaiting = after(durationMs, () => {
          const seconds = Math.round(durationMs / 1000)
          end(
            new ComputeError(
              'deviceLost',
              `the compute worker hung: no word of '${request.kind}' in ${seconds} s`,
            ),
          )
        })
      }
      const abort = (): void => {
        thread.postMessage({ kind: 'abort', call }, [])
        wait(Math.min(patienceMs, abortPatienceMs))
      }
      const finish = (): void => {
        open.delete(call)
        stopWaiting()
        signal?.removeEventListener('abort', abort)
      }
      open.set(call, {
        hear(answer) {
          if (answer.kind === 'progressed') {
            if (signal?.aborted !== true) wait(patienceMs)
            return onProgress?.(answer.permille)
          }
          finish()
          if (answer.kind === wanted) resolve(answer as AnswerOf<typeof wanted>)
          else if (answer.kind === 'failed') reject(new ComputeError(answer.error, answer.message))
          else
            reject(
              new ComputeError(
                'internal',
                `the compute worker answered '${answer.kind}' to '${request.kind}'`,
              ),
            )
        },
        reject(error) {
          finish()
          reject(error)
        },
      })
      wait(patienceMs)
      thread.postMessage({ ...request, call } as Request, transfer)
      if (signal?.aborted) abort()
      else signal?.addEventListener('abort', abort)
      return promise
    },
  }
}
