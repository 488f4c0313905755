/** How the pool gets its threads: one of the host's, or the loop itself, for a process that wants to decide everything in order. */
import type { AnswerCheckAdapters } from '@shardy/sdk'
import { createJudge } from './judge.ts'
import type { OpenThread } from './pool.ts'
import type { Reply } from './question.ts'
import { createRespondent } from './respondent.ts'

export const openHostThread: OpenThread = ({ said, died }) => {
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { type: 'module' })
  worker.onmessage = ({ data }: MessageEvent<Reply>) => said(data)
  worker.onerror = ({ message }) => died(message)
  worker.addEventListener('close', () => died('it ended'))
  return {
    post: (asked, transfer) => worker.postMessage(asked, transfer as ArrayBuffer[]),
    close: () => void worker.terminate(),
  }
}

/** Checks on the calling loop, which stands still meanwhile. */
export function openLocalThread(adapters: AnswerCheckAdapters): OpenThread {
  return ({ said }) => {
    const respondent = createRespondent(createJudge(adapters))
    return { post: (asked) => queueMicrotask(() => said(respondent.answer(asked))), close() {} }
  }
}
