/** A worker in this process, over a real socket: honest, or lying in a way that a test chooses. */
import { createCpuExecutor, type Executor } from '@shardy/compute'
import { generateIdentity } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import type { Program } from '@shardy/tensor'
import {
  connectWebSocket,
  createConstants,
  createWorker,
  fetchConstants,
  systemClock,
  type Worker,
  workerSocketUrl,
} from '@shardy/worker'
import { createKeyLoader, createTaskProver, fetchProofFiles } from '@shardy/worker/proving'

/** Changes one bit of every product, and is otherwise a model citizen: its benchmark, a long chain, it computes right. */
export function createLyingExecutor(): Executor {
  const honest = createCpuExecutor()
  const lie = (program: Program, output: Uint8Array): Uint8Array =>
    program.nodes.length > 1 ? output : output.with(0, (output[0] ?? 0) ^ 1)
  return {
    ...honest,
    name: 'cpu',
    adapter: 'a liar',
    async execute(program, input, options) {
      const execution = await honest.execute(program, input, options)
      return { ...execution, output: lie(program, execution.output) }
    },
    executeSmall(program, input) {
      const output = honest.executeSmall?.(program, input)
      return output && lie(program, output)
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
      prover: createTaskProver(createKeyLoader(fetchProofFiles(url), sha256), sha256),
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
  // What it is given, it is given once it was measured.
  await viewed(worker, ({ standing }) => standing !== undefined)
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
