/** A headless worker: measures its executor, keeps the worker's session, tells a terminal, and knows how it ended. */
import { type Executor, measureMemoryStability, measureOpsPerSecond } from '@shardy/compute'
import type { Identity } from '@shardy/crypto'
import { type MicroCredit, payloadBytesMax, type Sha256 } from '@shardy/protocol'
import {
  type BlockProver,
  type Clock,
  type Connect,
  type Constants,
  createWorker,
  type StopReason,
  type TaskProver,
  type Worker,
  type WorkerEvent,
} from '@shardy/worker'
import { createEventLog } from './eventLog.ts'
import type { Exit } from './exitCode.ts'
import { describeSpeed } from './speed.ts'

export interface ProviderAdapters {
  readonly connect: Connect
  readonly identity: Identity
  readonly sha256: Sha256
  readonly executor: Executor
  readonly constants: Constants
  readonly prover: TaskProver
  readonly blockProver: BlockProver
  readonly clock: Clock
  readonly random: (length: number) => Uint8Array
  readonly print: (line: string) => void
  /** A steady clock in milliseconds, for measuring. */
  readonly stopwatchMs: () => number
}

export interface ProviderConfig {
  /** For people: where the orchestrator is. */
  readonly url: string
  readonly slots: number
  readonly region: string
  readonly operator: string
  readonly askMicroCredit: MicroCredit
  /** As much memory of the device is tried at most; 0: none. */
  readonly memoryTrialBytesMax: number
}

export interface Provider {
  readonly worker: Worker
  /** Resolves when the provider has stopped, for whatever reason. */
  readonly ended: Promise<Exit>
  /** Takes leave and closes the executor. */
  stop(): Promise<Exit>
}

/** Less than this says nothing of a device. */
const memoryTrialBytesMin = 2 ** 20

export const agent = 'shardy-provider/0.1.0'

function exitOf(reason: StopReason): Exit {
  switch (reason.kind) {
    case 'asked':
      return 'stopped'
    case 'refused':
    case 'unsupportedVersion':
      return 'refused'
    case 'signingFailed':
      return 'identityFile'
  }
}

export async function createProvider(
  adapters: ProviderAdapters,
  { url, slots, region, operator, askMicroCredit, memoryTrialBytesMax }: ProviderConfig,
): Promise<Provider> {
  const { executor, print, stopwatchMs } = adapters
  const operationsPerSecond = await measureOpsPerSecond(executor, stopwatchMs)
  print(
    `Computing with ${executor.name} on ${executor.adapter}: ${describeSpeed(operationsPerSecond)} in a large product`,
  )
  const stableBytes =
    memoryTrialBytesMax < memoryTrialBytesMin
      ? 0
      : (await measureMemoryStability(executor, { capBytes: memoryTrialBytesMax })).stableBytes

  const after = (ms: number, run: () => void): void => {
    adapters.clock.wakeAt(adapters.clock.nowMs() + ms, run)
  }
  const tell = createEventLog({ print, nowMs: stopwatchMs, after }, url)
  let deviceLost = false
  const worker: Worker = createWorker(
    {
      ...adapters,
      log(event: WorkerEvent) {
        tell(event)
        if (event.kind !== 'rejected' || event.reason !== 'deviceLost') return
        // Every further delivery would end the same way; whoever started it looks again at what there is.
        deviceLost = true
        void worker.stop()
      },
    },
    {
      agent,
      slots,
      payloadBytesMax,
      operationsPerSecond,
      stableBytes,
      offer: { region, operator, askMicroCredit },
    },
  )
  print(`This worker is ${worker.getView().workerId}`)

  async function end(): Promise<Exit> {
    const reason = await worker.stopped
    await executor.close()
    return deviceLost ? 'deviceLost' : exitOf(reason)
  }
  const ended = end()
  worker.start()
  return {
    worker,
    ended,
    async stop() {
      await worker.stop()
      return ended
    },
  }
}
