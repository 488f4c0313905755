/** Compute threads for tests: each writes down what it is asked, and answers only what the test says. */
import type { Thread } from '../src/compute/call.ts'
import type { Answer, Device, Request } from '../src/compute/message.ts'

export interface TestThread extends Thread {
  readonly requests: Request[]
  readonly transferred: Transferable[]
  answer(answer: Answer): void
  fail(message: string): void
  readonly isTerminated: boolean
  /** Waits for a request of this kind that was not taken before. */
  take<Kind extends Request['kind']>(kind: Kind): Promise<Extract<Request, { kind: Kind }>>
}

export const gpu: Device = { executor: 'webgpu', adapter: 'a GPU', isSoftware: false, cpuReason: undefined }
export const cpu: Device = {
  executor: 'cpu',
  adapter: 'a CPU',
  isSoftware: false,
  cpuReason: { kind: 'failed', message: 'it was lost' },
}

export function createTestThread(): TestThread {
  const requests: Request[] = []
  const transferred: Transferable[] = []
  const untaken: Request[] = []
  let look = () => {}
  let isTerminated = false
  let onAnswer = (_: Answer) => {}
  let onFailure = (_: string) => {}
  return {
    requests,
    transferred,
    postMessage(request, transfer) {
      requests.push(request)
      untaken.push(request)
      transferred.push(...transfer)
      look()
    },
    onAnswer(listener) {
      onAnswer = listener
    },
    onFailure(listener) {
      onFailure = listener
    },
    terminate() {
      isTerminated = true
    },
    get isTerminated() {
      return isTerminated
    },
    answer: (answer) => onAnswer(answer),
    fail: (message) => onFailure(message),
    async take(kind) {
      for (;;) {
        const index = untaken.findIndex((request) => request.kind === kind)
        const [found] = index < 0 ? [] : untaken.splice(index, 1)
        if (found !== undefined) return found as Extract<Request, { kind: typeof kind }>
        await new Promise<void>((resolve) => {
          look = resolve
        })
      }
    },
  }
}

/** Threads in the order in which they are started. */
export function createTestThreads() {
  const untaken: TestThread[] = []
  let look = () => {}
  let started = 0
  return {
    get started() {
      return started
    },
    start(): Thread {
      const thread = createTestThread()
      started += 1
      untaken.push(thread)
      look()
      return thread
    },
    async next(): Promise<TestThread> {
      for (;;) {
        const thread = untaken.shift()
        if (thread !== undefined) return thread
        await new Promise<void>((resolve) => {
          look = resolve
        })
      }
    },
    /** The next thread, opened on this device and measured. */
    async nextReady(device: Device): Promise<TestThread> {
      const thread = await this.next()
      thread.answer({ kind: 'opened', call: (await thread.take('open')).call, device })
      const { call } = await thread.take('measure')
      thread.answer({ kind: 'measured', call, operationsPerSecond: 1e9, stableBytes: 2 ** 28 })
      return thread
    },
  }
}
