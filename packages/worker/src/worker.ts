/**
 * A worker on any host: the session's state, one input at a time, its effects in order over the adapters, and a view
 * for whoever watches. The host owns the executor and closes it after the worker.
 */
import type { Executor } from '@shardy/compute'
import {
  adapterLengthMax,
  agentLengthMax,
  hardwareClassLengthMax,
  type MadeProofKind,
  type MicroCredit,
  payloadBytesMax,
  prefetchMax,
  proofFeature,
  slotsMax,
  workerIdOf,
} from '@shardy/protocol'
import type { Clock } from './clock.ts'
import { createPerformer, type PerformerAdapters } from './performer.ts'
import { workingBytesMax } from './session/bounds.ts'
import type { Input } from './session/input.ts'
import { nextWakeMs } from './session/liveness.ts'
import type { StopReason } from './session/reason.ts'
import { initialState } from './session/state.ts'
import { step } from './session/step.ts'
import type { Offer, Rules } from './session/turn.ts'
import { wireText } from './session/wireText.ts'
import { viewOf, type WorkerView } from './view.ts'

export interface WorkerAdapters extends PerformerAdapters {
  readonly clock: Clock
}

export interface WorkerConfig {
  /** Program and version, such as `shardy-page/0.1.0`. */
  readonly agent: string
  /** Deliveries held at once, 1 to 64. */
  readonly slots: number
  readonly payloadBytesMax: number
  /** As measured on the executor; 0 when it was not. */
  readonly operationsPerSecond: number
  /** What else it says of itself (spec W14); what is left out gets a default that promises little. */
  readonly offer?: Partial<Offer>
  /** Bytes of the device's memory that held what was written there (`measureMemoryStability`); 0 when it was not tried. */
  readonly stableBytes?: number
}

export interface Worker {
  start(): void
  /** Takes no work and hands unfinished work back. */
  pause(): void
  resume(): void
  /** Tells the orchestrator that this is a background tab, which it must expect to be slow. */
  setHidden(hidden: boolean): void
  /** Takes leave; resolves when the line is closed. */
  stop(): Promise<StopReason>
  /** Resolves when the worker has stopped, as asked or because going on makes no sense. */
  readonly stopped: Promise<StopReason>
  /** The same object until something changes. */
  getView(): WorkerView
  /** Called after every change; the returned function ends that. */
  subscribe(listener: () => void): () => void
}

/** How long a stopping worker waits for the other side to close. */
const closeMs = 1_000

function rulesOf(
  { identity, sha256, executor, prover, blockProver }: WorkerAdapters,
  config: WorkerConfig,
): Rules {
  const { slots, stableBytes = 0 } = config
  const proofs = [...(prover?.kinds ?? []), ...(blockProver?.kinds ?? [])]
  const offer = offerOf(executor, proofs, config)
  if (!Number.isInteger(slots) || slots < 1 || slots > slotsMax) {
    throw new RangeError(`slots is ${slots}, allowed is 1 to ${slotsMax}`)
  }
  return {
    sha256,
    publicKey: identity.publicKey,
    workerId: workerIdOf(identity.publicKey, sha256),
    agent: wireText(config.agent, agentLengthMax),
    kinds: ['program', ...(executor.runShader === undefined ? [] : ['shader' as const]), 'lite', 'superLite'],
    proofs,
    executor: executor.name === 'webgpu' ? 'webgpu' : 'cpu',
    adapter: wireText(executor.adapter, adapterLengthMax),
    operationsPerSecond: Math.floor(config.operationsPerSecond),
    payloadBytesMax: Math.min(config.payloadBytesMax, payloadBytesMax),
    slots,
    offer,
    stableBytes,
  }
}

/** Enough that small tasks are at hand while answers are on their way. */
const prefetchDefault = 256

function offerOf(executor: Executor, proofs: readonly MadeProofKind[], { offer = {} }: WorkerConfig): Offer {
  const prefetch = offer.prefetch ?? prefetchDefault
  if (!Number.isInteger(prefetch) || prefetch < 0 || prefetch > prefetchMax) {
    throw new RangeError(`prefetch is ${prefetch}, allowed is 0 to ${prefetchMax}`)
  }
  return {
    hiddenPermille: 0,
    bufferBytesMax: payloadBytesMax,
    memoryBytes: workingBytesMax,
    features: proofs.map(proofFeature),
    hardwareClass: hardwareClassOf(executor),
    region: '',
    askMicroCredit: 0n as MicroCredit,
    operator: '',
    ...offer,
    prefetch,
  }
}

/** Floats of one class are comparable: a GPU's are its adapter's, and the CPU executor computes them the same everywhere. */
function hardwareClassOf({ name, adapter }: Executor): string {
  return wireText(name === 'webgpu' ? adapter : name, hardwareClassLengthMax)
}

export function createWorker(adapters: WorkerAdapters, config: WorkerConfig): Worker {
  const { clock, random } = adapters
  const rules = rulesOf(adapters, config)
  let state = initialState(new DataView(random(4).slice().buffer).getUint32(0))
  let view: WorkerView | undefined
  const listeners = new Set<() => void>()
  const performer = createPerformer(adapters, take)
  let resolveStopped: (reason: StopReason) => void
  const stopped = new Promise<StopReason>((resolve) => {
    resolveStopped = resolve
  })

  // Effects may answer at once: their inputs wait until the step that caused them is complete.
  const inputs: Input[] = []
  let busy = false
  function take(input: Input): void {
    inputs.push(input)
    if (busy) return
    busy = true
    const before = state
    try {
      for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
        const stepped = step(rules, state, clock.nowMs(), next)
        if (stepped.state !== state) view = undefined
        state = stepped.state
        for (const effect of stepped.effects) performer.perform(effect)
      }
    } finally {
      busy = false
    }
    setAlarm()
    finishStopping()
    if (state === before) return
    for (const listener of [...listeners]) listener()
  }

  let alarm: { readonly atMs: number; readonly cancel: () => void } | undefined
  function setAlarm(): void {
    const atMs = nextWakeMs(state)
    if (atMs === alarm?.atMs) return
    alarm?.cancel()
    alarm = undefined
    if (atMs === undefined) return
    const cancel = clock.wakeAt(atMs, () => {
      alarm = undefined
      take({ kind: 'woke' })
    })
    alarm = { atMs, cancel }
  }

  let endCloseWait: (() => void) | undefined
  function finishStopping(): void {
    const { connection } = state
    if (connection.kind !== 'stopped') return
    if (performer.connected) {
      endCloseWait ??= clock.wakeAt(clock.nowMs() + closeMs, () => resolveStopped(connection.reason))
    } else {
      endCloseWait?.()
      resolveStopped(connection.reason)
    }
  }

  return {
    start: () => take({ kind: 'start' }),
    pause: () => take({ kind: 'pause' }),
    resume: () => take({ kind: 'resume' }),
    setHidden: (hidden) => take({ kind: 'hidden', hidden }),
    stop() {
      take({ kind: 'stop' })
      return stopped
    },
    stopped,
    getView() {
      view ??= viewOf(rules, state)
      return view
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
  }
}
