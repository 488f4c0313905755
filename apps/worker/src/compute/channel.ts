/**
 * The compute worker as the session sees it: an `Executor` that survives its thread. A thread that hung, crashed or
 * lost its GPU is ended and its calls reject; the next one is started at once, and after repeated losses without the
 * GPU. When not even the CPU opens, the channel has failed and says why.
 */
import { ComputeError, type Execution, type Executor, type ShaderOptions } from '@shardy/compute'
import type { ZkProofPayload } from '@shardy/protocol'
import { noBlobs, type ProvableProduct, type TilePlace } from '@shardy/tensor'
import type { BlockProver, Provable, ProvableBlock, TaskProver } from '@shardy/worker'
import { type Calls, openCalls, type Thread, type Timer, type WithoutCall } from './call.ts'
import type { CpuReason, Device, Measured, Request } from './message.ts'

export type ComputeState =
  | { readonly kind: 'opening' }
  | { readonly kind: 'measuring'; readonly device: Device }
  | ({ readonly kind: 'ready'; readonly device: Device } & Measured)
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'closed' }

export interface Channel {
  /** The same object until it changes. */
  getState(): ComputeState
  subscribe(listener: () => void): () => void
  /** An executor with the device's name; it waits while a lost thread is replaced. */
  executorFor(device: Device): Executor
  /** Make proofs on the same thread. */
  readonly prover: TaskProver
  readonly blockProver: BlockProver
  close(): void
}

export interface ChannelAdapters extends Timer {
  readonly startThread: () => Thread
}

/** Compiling for a slow device on a busy machine takes seconds; a minute means that nothing happens. */
const openPatienceMs = 60_000
const measurePatienceMs = 60_000
/** Progress comes several times a second; a driver that says nothing for so long has hung. */
const executePatienceMs = 30_000
/** Keys are fetched for the first proof, over whatever line there is. */
const provePatienceMs = 60_000
/** Its key has megabytes, and a slow device computes for a while. */
const proveBlockPatienceMs = 300_000
/** Losses of the GPU without an answer in between after which the CPU takes over. */
const gpuLossesMax = 2
const cpuLossesMax = 3

/** Errors after which the device is not to be used again. */
function isLoss(error: ComputeError): boolean {
  return error.kind === 'deviceLost' || error.kind === 'closed'
}

function asComputeError(thrown: unknown): ComputeError {
  return thrown instanceof ComputeError
    ? thrown
    : new ComputeError('internal', String(thrown), { cause: thrown })
}

/** The buffer moves to the other thread when it holds nothing else; the caller's view is empty afterwards. */
function movable(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? buffer
    : new Uint8Array(bytes).buffer
}

export function openChannel(adapters: ChannelAdapters, without: CpuReason | undefined): Channel {
  let state: ComputeState = { kind: 'opening' }
  let calls: Calls | undefined
  let cpuReason = without
  let losses = 0
  /** Proofs that are being made: on the same thread, so that all else waits for them. */
  let proofs = 0
  const listeners = new Set<() => void>()

  function become(next: ComputeState): void {
    state = next
    for (const listener of [...listeners]) listener()
  }

  const isOver = (): boolean => state.kind === 'failed' || state.kind === 'closed'

  /** Starts a thread, opens its device and measures it. */
  async function begin(): Promise<void> {
    become({ kind: 'opening' })
    let current: Calls
    try {
      current = openCalls(adapters.startThread(), adapters)
    } catch (thrown) {
      return become({ kind: 'failed', message: asComputeError(thrown).message })
    }
    calls = current
    void current.ended.then((error) => lose(current, error))
    try {
      const opening = { kind: 'open', without: cpuReason } as const
      const { device } = await current.call(opening, { answer: 'opened', patienceMs: openPatienceMs })
      become({ kind: 'measuring', device })
      const wanted = { answer: 'measured', patienceMs: measurePatienceMs } as const
      const { operationsPerSecond, stableBytes } = await current.call({ kind: 'measure' }, wanted)
      become({ kind: 'ready', device, operationsPerSecond, stableBytes })
    } catch (thrown) {
      current.end(asComputeError(thrown))
    }
  }

  function lose(lost: Calls, error: ComputeError): void {
    if (calls !== lost || isOver()) return
    calls = undefined
    losses += 1
    if (cpuReason === undefined && losses >= gpuLossesMax) {
      cpuReason = { kind: 'failed', message: error.message }
      losses = 0
    } else if (losses >= cpuLossesMax) {
      return become({ kind: 'failed', message: error.message })
    }
    void begin()
  }

  async function ready(): Promise<Calls> {
    for (;;) {
      if (calls !== undefined && state.kind === 'ready') return calls
      if (state.kind === 'failed') throw new ComputeError('deviceLost', state.message)
      if (state.kind === 'closed') throw new ComputeError('closed', 'the compute worker was ended')
      await new Promise<void>((resolve) => {
        const unsubscribe = subscribe(() => {
          unsubscribe()
          resolve()
        })
      })
    }
  }

  function subscribe(listener: () => void): () => void {
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }

  function close(): void {
    if (state.kind === 'closed') return
    become({ kind: 'closed' })
    calls?.end(new ComputeError('closed', 'the compute worker was ended'))
  }

  async function compute(
    request: WithoutCall<Extract<Request, { kind: 'execute' | 'runShader' | 'tryMemory' }>>,
    transfer: ArrayBuffer[],
    { signal, onProgress }: ShaderOptions,
  ): Promise<Execution> {
    const current = await ready()
    if (signal?.aborted) throw new ComputeError('aborted', 'the caller aborted')
    try {
      const { output, kept } = await current.call(request, {
        answer: 'executed',
        patienceMs: proofs > 0 ? proveBlockPatienceMs : executePatienceMs,
        transfer,
        signal,
        onProgress,
      })
      losses = 0
      return {
        output: new Uint8Array(output),
        kept: new Map(Array.from(kept, ([index, bytes]) => [index, new Uint8Array(bytes)])),
      }
    } catch (thrown) {
      const error = asComputeError(thrown)
      if (isLoss(error)) current.end(error)
      throw error
    }
  }

  async function prove(answers: readonly Provable[]): Promise<readonly ZkProofPayload[]> {
    const current = await ready()
    const wanted = { answer: 'proven', patienceMs: provePatienceMs } as const
    const { proofs } = await current.call({ kind: 'prove', answers }, wanted)
    return proofs
  }

  async function commitSums(product: ProvableProduct, input: Uint8Array, tile: TilePlace) {
    const current = await ready()
    const wanted = { answer: 'committed', patienceMs: provePatienceMs } as const
    return (await current.call({ kind: 'commitSums', product, input, tile }, wanted)).sums
  }

  async function proveBlock(block: ProvableBlock): Promise<ZkProofPayload> {
    const current = await ready()
    const wanted = { answer: 'blockProven', patienceMs: proveBlockPatienceMs } as const
    proofs++
    try {
      return (await current.call({ kind: 'proveBlock', block }, wanted)).proof
    } finally {
      proofs--
    }
  }

  void begin()
  return {
    getState: () => state,
    subscribe,
    close,
    prover: { kinds: ['v2'], prove },
    blockProver: { kinds: ['v3'], sums: commitSums, prove: proveBlock },
    executorFor: (device) => ({
      name: device.executor,
      adapter: device.adapter,
      async execute(program, input, { signal, onProgress, blobs = noBlobs, keep = [] } = {}) {
        const request = { kind: 'execute', program, input: movable(input), blobs, keep } as const
        return compute(request, [request.input], { signal, onProgress })
      },
      async runShader(task, payload, options = {}) {
        const request = { kind: 'runShader', task, payload: movable(payload) } as const
        return (await compute(request, [request.payload], options)).output
      },
      async tryMemory(bytes, options = {}) {
        await compute({ kind: 'tryMemory', bytes }, [], options)
      },
      async close() {
        close()
      },
    }),
  }
}
