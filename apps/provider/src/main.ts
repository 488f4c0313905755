/**
 * The provider's process: the only place that reads the environment, opens files, sockets and devices, and exits. It
 * leaves cleanly when asked by a signal, or when the process that started it is gone.
 */
import { availableParallelism, freemem } from 'node:os'
import { join } from 'node:path'
import {
  createCpuExecutor,
  createSelfCheckingExecutor,
  createSmallBeside,
  type Executor,
  type Opened,
  type OpenOptions,
  openCheckTools,
} from '@shardy/compute'
import { openDawn } from '@shardy/compute/dawn'
import { IdentityFileError, openIdentityFile, sha256 } from '@shardy/crypto/native'
import {
  connectWebSocket,
  createConstants,
  fetchConstants,
  systemClock,
  workerSocketUrl,
} from '@shardy/worker'
import { type Config, readConfig } from './config.ts'
import { workThroughLosses } from './deviceLoss.ts'
import { chooseExecutor } from './executorChoice.ts'
import { type Exit, exitCodes } from './exitCode.ts'
import { openThreadProver } from './proofs/prover.ts'
import { createProvider } from './provider.ts'
import { selfTest } from './selfTest.ts'

const help = `shardy provider: lends this machine's compute to an orchestrator

  bun apps/provider/src/main.ts              work until stopped
  bun apps/provider/src/main.ts --self-test  show device and identity, and compare products with the reference

  SHARDY_URL=http://127.0.0.1:7700           the orchestrator
  SHARDY_DATA=.shardy                        the folder of the identity, worker-identity.json
  SHARDY_EXECUTOR=auto                       auto: a GPU if there is one, else the CPU; webgpu; cpu
  SHARDY_SLOTS=2                             deliveries held at once, 1 to 64
  SHARDY_REGION=                             where it stands, such as eu-west, for tasks that want to be near
  SHARDY_OPERATOR=                           whose it is; workers of one operator are given different tasks
  SHARDY_ASK=0                               the least it works for, in micro-credits for 10^9 operations
  SHARDY_PARENT=pipe                         stop when stdin closes

Exit codes: ${Object.entries(exitCodes)
  .map(([name, code]) => `${code} ${name}`)
  .join(', ')}`

const print = (line: string): void => console.log(line)
const stopwatchMs = (): number => performance.now()
const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

/**
 * A host lends some of its own memory; a device has memory to itself, and tries it much faster. A software GPU's is the
 * host's again, hence the quarter of what is free there beyond the first GiB. Tier 3 asks for 4 GiB.
 */
function memoryTrialBytesMax({ name }: Executor): number {
  const quarter = Math.floor(freemem() / 4)
  return name === 'webgpu' ? Math.min(2 ** 32, Math.max(2 ** 30, quarter)) : Math.min(2 ** 28, quarter)
}

function whenAskedToStop({ endWithParent }: Config): Promise<'stopped'> {
  return new Promise((resolve) => {
    const stop = (): void => resolve('stopped')
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
    if (!endWithParent) return
    process.stdin.on('end', stop)
    process.stdin.on('close', stop)
    process.stdin.on('error', stop)
    process.stdin.resume()
  })
}

/** A GPU whose answers are looked at on the CPU before they are signed. */
async function openLookedAfter(options: OpenOptions): Promise<Opened> {
  const opened = await openDawn(options)
  if (!opened.ok) return opened
  const adapters = { tools: await openCheckTools(sha256), random }
  return { ok: true, executor: createSmallBeside(createSelfCheckingExecutor(opened.executor, adapters)) }
}

async function work(config: Config, testOnly: boolean, asked: Promise<'stopped'>): Promise<Exit> {
  const identity = await openIdentityFile(join(config.data, 'worker-identity.json'))
  const sources = {
    openWebGpu: openLookedAfter,
    createCpu: () => createCpuExecutor({ threads: availableParallelism() }),
  }
  const chosen = await chooseExecutor(config.executor, sources)
  if (!chosen.ok) {
    console.error(chosen.message)
    return 'noExecutor'
  }
  const { executor, note } = chosen
  if (note !== undefined) print(note)
  if (testOnly) {
    const exit = await selfTest({ executor, identity, sha256, print, stopwatchMs })
    await executor.close()
    return exit
  }
  const connect = connectWebSocket(workerSocketUrl(config.url))
  const constants = createConstants(fetchConstants(config.url), sha256)
  const provers = openThreadProver(config.url)
  let stopping = false
  void asked.then(() => {
    stopping = true
  })
  async function workWith(executor: Executor): Promise<Exit> {
    const provider = await createProvider(
      {
        connect,
        identity,
        sha256,
        executor,
        constants,
        prover: provers.answers,
        blockProver: provers.blocks,
        clock: systemClock,
        random,
        print,
        stopwatchMs,
      },
      { ...config, memoryTrialBytesMax: memoryTrialBytesMax(executor) },
    )
    void asked.then(() => provider.stop())
    working = true
    const exit = await provider.ended
    working = false
    return stopping && exit === 'deviceLost' ? 'stopped' : exit
  }
  return workThroughLosses(executor, config.executor, { sources, work: workWith, print })
}

/** While this holds a wish to stop is answered by taking leave; before, there is nobody to take leave of. */
let working = false

async function run(args: readonly string[]): Promise<Exit> {
  const [argument, ...others] = args
  if (argument === '--help' && others.length === 0) {
    print(help)
    return 'stopped'
  }
  const testOnly = argument === '--self-test'
  if (others.length > 0 || (argument !== undefined && !testOnly)) {
    console.error(`unknown argument '${testOnly ? others[0] : argument}'; --help shows what there is`)
    return 'usage'
  }
  const config = readConfig(process.env)
  if (!config.ok) {
    console.error(config.message)
    return 'usage'
  }
  const asked = whenAskedToStop(config.value)
  const early = asked.then((exit) => (working ? new Promise<never>(() => {}) : exit))
  return Promise.race([work(config.value, testOnly, asked), early])
}

async function end(): Promise<void> {
  let exit: Exit = 'failed'
  try {
    exit = await run(process.argv.slice(2))
  } catch (thrown) {
    if (thrown instanceof IdentityFileError) {
      exit = 'identityFile'
      console.error(thrown.message)
    } else {
      console.error(thrown)
    }
  }
  process.exit(exitCodes[exit])
}

await end()
