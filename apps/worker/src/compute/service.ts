/**
 * The compute worker's side of the conversation: opens a device, runs programs on it, and answers every call once.
 * It knows nothing of its surroundings but how to post, so that tests run it without a worker.
 */
import {
  ComputeError,
  type Execution,
  measureMemoryStability,
  measureOpsPerSecond,
  type ShaderOptions,
} from '@shardy/compute'
import type { BlockProver, TaskProver } from '@shardy/worker'
import type { OpenDevice } from './device.ts'
import type { Answer, CpuReason, Device, Request } from './message.ts'

export interface ServiceHost {
  open(without: CpuReason | undefined): Promise<OpenDevice>
  post(answer: Answer, transfer: Transferable[]): void
  nowMs(): number
  /** Called when the first proof is asked for. */
  openProvers(): Promise<Provers>
}

export interface Provers {
  readonly answers: TaskProver
  readonly blocks: BlockProver
}

/** Often enough for the eye and for the page's patience, and seldom enough to cost nothing. */
const progressEveryMs = 100

/**
 * A tab lends some of its own memory; a device has memory to itself, or shares it with everything else on a laptop: a tab
 * is no place to fill gigabytes, and so reaches tier 2 at most. A software GPU's memory is the tab's.
 */
function memoryTrialBytesMax({ executor, isSoftware }: Device): number {
  return executor === 'webgpu' && !isSoftware ? 2 ** 30 : 2 ** 26
}

/** Whole buffers only: a view into a larger one would take its neighbours along. */
function wholeBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? buffer
    : new Uint8Array(bytes).buffer
}

export function createService({ open, openProvers, post, nowMs }: ServiceHost) {
  let opened: OpenDevice | undefined
  let provers: Promise<Provers> | undefined
  const running = new Map<number, AbortController>()

  function device(): OpenDevice {
    if (opened === undefined) throw new ComputeError('closed', 'no device is open yet')
    return opened
  }

  function theProvers(): Promise<Provers> {
    provers ??= openProvers().catch((error: unknown) => {
      provers = undefined
      throw error
    })
    return provers
  }

  async function run(call: number, compute: (options: ShaderOptions) => Promise<Execution>): Promise<void> {
    const controller = new AbortController()
    running.set(call, controller)
    let saidAtMs = Number.NEGATIVE_INFINITY
    const onProgress = (permille: number): void => {
      if (nowMs() - saidAtMs < progressEveryMs) return
      saidAtMs = nowMs()
      post({ kind: 'progressed', call, permille }, [])
    }
    try {
      const execution = await compute({ signal: controller.signal, onProgress })
      const output = wholeBuffer(execution.output)
      const kept = new Map(Array.from(execution.kept, ([index, bytes]) => [index, wholeBuffer(bytes)]))
      post({ kind: 'executed', call, output, kept }, [output, ...kept.values()])
    } finally {
      running.delete(call)
    }
  }

  async function answer(request: Exclude<Request, { kind: 'abort' }>): Promise<void> {
    const { call } = request
    switch (request.kind) {
      case 'open':
        opened = await open(request.without)
        return post({ kind: 'opened', call, device: opened.device }, [])
      case 'measure': {
        const { executor, device: found } = device()
        const operationsPerSecond = await measureOpsPerSecond(executor, nowMs)
        const capBytes = memoryTrialBytesMax(found)
        const { stableBytes } = await measureMemoryStability(executor, { capBytes })
        return post({ kind: 'measured', call, operationsPerSecond, stableBytes }, [])
      }
      case 'execute': {
        const { program, input, blobs, keep } = request
        const { executor } = device()
        return run(call, (options) =>
          executor.execute(program, new Uint8Array(input), { ...options, blobs, keep }),
        )
      }
      case 'runShader': {
        const { executor } = device()
        return run(call, async (options) => {
          if (executor.runShader === undefined) throw new ComputeError('internal', 'no shaders here')
          const output = await executor.runShader(request.task, new Uint8Array(request.payload), options)
          return { output, kept: new Map() }
        })
      }
      case 'prove': {
        const { answers } = await theProvers()
        return post({ kind: 'proven', call, proofs: await answers.prove(request.answers) }, [])
      }
      case 'commitSums': {
        const { blocks } = await theProvers()
        const { product, input, tile } = request
        return post({ kind: 'committed', call, sums: await blocks.sums(product, input, tile) }, [])
      }
      case 'proveBlock': {
        const { blocks } = await theProvers()
        return post({ kind: 'blockProven', call, proof: await blocks.prove(request.block) }, [])
      }
      case 'tryMemory': {
        const { executor } = device()
        return run(call, async ({ signal }) => {
          if (executor.tryMemory === undefined) throw new ComputeError('internal', 'no memory to try here')
          await executor.tryMemory(request.bytes, { signal })
          return { output: new Uint8Array(), kept: new Map() }
        })
      }
    }
  }

  return {
    async receive(request: Request): Promise<void> {
      const { call } = request
      if (request.kind === 'abort') return running.get(call)?.abort()
      try {
        await answer(request)
      } catch (thrown) {
        const error = thrown instanceof ComputeError ? thrown.kind : 'internal'
        const message = thrown instanceof Error ? thrown.message : String(thrown)
        post({ kind: 'failed', call, error, message }, [])
      }
    },
  }
}
