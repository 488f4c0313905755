/** A worker in this process, over a real socket: honest, or lying in a way that a test chooses. */
import { createCpuExecutor, type Executor } from '@shardy/compute'
import { generateIdentity } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import {
  connectWebSocket,
  createConstants,
  createWorker,
  fetchConstants,
  systemClock,
  type Worker,
  workerSocketUrl,
} from '@shardy/worker'

/** Changes one bit of every answer, and is otherwise a model citizen. */
export function createLyingExecutor(): Executor {
  const honest = createCpuExecutor()
  return {
    ...honest,
    name: 'cpu',
    adapter: 'a liar',
    async execute(program, input, options) {
      const execution = await honest.execute(program, input, options)
      const { output } = execution
      output[0] = (output[0] ?? 0) ^ 1
      return execution
    },
  }
}

export async function startLocalWorker(url: string, executor: Executor): Promise<Worker> {
  const worker = createWorker(
    {
      connect: connectWebSocket(workerSocketUrl(url)),
      identity: await generateIdentity({ extractable: false }),
      sha256,
      executor,
      constants: createConstants(fetchConstants(url), sha256),
      clock: systemClock,
      random: (length) => crypto.getRandomValues(new Uint8Array(length)),
      log: () => {},
    },
    {
      agent: 'e2e/1',
      slots: 2,
      payloadBytesMax: 1024 * 1024,
      operationsPerSecond: 1_000_000_000,
      stableBytes: 2 ** 28,
    },
  )
  worker.start()
  await viewed(worker, ({ connection }) => connection.kind === 'admitted')
  return worker
}

/** Resolves once the worker's view fulfils the condition. */
function viewed(worker: Worker, condition: (view: ReturnType<Worker['getView']>) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!condition(worker.getView())) return
      unsubscribe()
      resolve()
    }
    const unsubscribe = worker.subscribe(look)
    look()
  })
}
