/** How the pool gets a thread: one of the host's. */
import type { Asked, Reply } from './message.ts'

export interface Thread {
  post(asked: Asked, transfer: readonly ArrayBuffer[]): void
  close(): void
}

export interface ThreadEvents {
  said(reply: Reply): void
  died(reason: string): void
}

export type OpenThread = (events: ThreadEvents) => Thread

export const openHostThread: OpenThread = ({ said, died }) => {
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { type: 'module' })
  worker.onmessage = ({ data }: MessageEvent<Reply>) => said(data)
  worker.onerror = ({ message }) => died(message)
  worker.addEventListener('close', () => died('it ended'))
  return {
    post: (asked, transfer) => worker.postMessage(asked, [...transfer]),
    close: () => void worker.terminate(),
  }
}
