/**
 * Everything that the page runs, behind one view: the key, the compute worker, and the session between them and the
 * orchestrator. Sessions may follow each other (after a refusal, or when the device changed); what earlier ones did
 * stays in the view.
 */
import type { KeyedIdentity } from '@shardy/crypto'
import { payloadBytesMax, type Sha256, type WorkerId, workerIdOf } from '@shardy/protocol'
import {
  type Clock,
  type Connect,
  createConstants,
  createWorker,
  type FetchConstant,
  type Reason,
  type Worker,
  type WorkerEvent,
  type WorkerView,
} from '@shardy/worker'
import type { Channel, ComputeState } from '../compute/channel.ts'
import type { Device, Measured } from '../compute/message.ts'
import { IdentityStoreError } from '../identity.ts'
import type { Failure } from './failure.ts'
import { createRecord, type WorkRecord } from './record.ts'

export type Stage =
  | { readonly kind: 'idle' }
  | { readonly kind: 'preparing' }
  | { readonly kind: 'working' }
  | { readonly kind: 'failed'; readonly failure: Failure }

export interface StationView {
  readonly stage: Stage
  readonly workerId: WorkerId | undefined
  readonly compute: ComputeState | undefined
  readonly session: WorkerView | undefined
  /** Why the session's last connection was lost or refused; undefined while admitted. */
  readonly reason: Reason | undefined
  /** Whether the orchestrator ever admitted this page. */
  readonly wasAdmitted: boolean
  readonly record: WorkRecord
}

export interface StationAdapters {
  readonly openIdentity: () => Promise<KeyedIdentity>
  readonly loadSha256: () => Promise<Sha256>
  readonly openChannel: () => Channel
  /** False when another tab holds it; it is held until the page goes. */
  readonly holdTab: () => Promise<boolean>
  readonly connect: Connect
  readonly fetchConstant: FetchConstant
  readonly clock: Clock
  readonly random: (length: number) => Uint8Array
  readonly isSecure: boolean
}

export interface Station {
  getView(): StationView
  subscribe(listener: () => void): () => void
  /** Starts, resumes, or tries again, whichever applies. */
  start(): void
  pause(): void
  setHidden(hidden: boolean): void
  /** Takes leave of the orchestrator and ends the compute worker. */
  close(): Promise<void>
}

const agent = 'shardy-page/0.1.0'
/** The next input arrives while this one is computed. */
const slots = 2

interface Ready {
  readonly identity: KeyedIdentity
  readonly sha256: Sha256
  readonly channel: Channel
}

interface Session {
  readonly worker: Worker
  readonly device: Device
}

function failureOf(thrown: unknown): Failure {
  if (thrown instanceof IdentityStoreError) {
    return { kind: 'identityStore', fault: thrown.fault, message: thrown.message }
  }
  return { kind: 'unexpected', message: thrown instanceof Error ? thrown.message : String(thrown) }
}

export function openStation(adapters: StationAdapters): Station {
  const { clock, connect, fetchConstant, random } = adapters
  const listeners = new Set<() => void>()
  const record = createRecord()
  let stage: Stage = { kind: 'idle' }
  let ready: Ready | undefined
  let workerId: WorkerId | undefined
  let session: Session | undefined
  let reason: Reason | undefined
  let wasAdmitted = false
  let isHidden = false
  let isPaused = false
  let isReplacing = false
  let view: StationView | undefined

  function changed(): void {
    view = undefined
    for (const listener of [...listeners]) listener()
  }

  function become(next: Stage): void {
    stage = next
    changed()
  }

  function hear(event: WorkerEvent): void {
    if (event.kind === 'lost' || event.kind === 'stopped') reason = event.reason
    if (event.kind === 'admitted') {
      reason = undefined
      wasAdmitted = true
    }
  }

  function openSession(
    { identity, sha256, channel }: Ready,
    device: Device,
    { operationsPerSecond, stableBytes }: Measured,
  ): void {
    const executor = channel.executorFor(device)
    const constants = createConstants(fetchConstant, sha256)
    const worker = createWorker(
      {
        connect,
        identity,
        sha256,
        executor,
        constants,
        prover: channel.prover,
        blockProver: channel.blockProver,
        clock,
        random,
        log: hear,
      },
      { agent, slots, payloadBytesMax, operationsPerSecond, stableBytes },
    )
    session = { worker, device }
    worker.subscribe(changed)
    worker.setHidden(isHidden)
    if (isPaused) worker.pause()
    worker.start()
    become({ kind: 'working' })
  }

  /** Two sessions with one key would be refused, so the earlier one has to be gone first. */
  async function endSession(): Promise<void> {
    if (session === undefined) return
    const { worker } = session
    await worker.stop()
    if (session?.worker !== worker) return
    session = undefined
    record.keep(worker.getView())
  }

  /** A session names its device in its hello: when that changed, so must the session. */
  async function follow(current: Ready): Promise<void> {
    const compute = current.channel.getState()
    changed()
    if (compute.kind === 'failed') {
      ready = undefined
      current.channel.close()
      await endSession()
      return become({ kind: 'failed', failure: { kind: 'compute', message: compute.message } })
    }
    if (compute.kind !== 'ready' || isReplacing) return
    const { device } = compute
    if (session?.device.executor === device.executor && session.device.adapter === device.adapter) return
    isReplacing = true
    await endSession()
    isReplacing = false
    if (ready === current) openSession(current, device, compute)
  }

  async function prepare(): Promise<void> {
    become({ kind: 'preparing' })
    try {
      if (!adapters.isSecure) return become({ kind: 'failed', failure: { kind: 'insecurePage' } })
      if (!(await adapters.holdTab())) return become({ kind: 'failed', failure: { kind: 'otherTab' } })
      const [identity, sha256] = await Promise.all([adapters.openIdentity(), adapters.loadSha256()])
      workerId = workerIdOf(identity.publicKey, sha256)
      const current = { identity, sha256, channel: adapters.openChannel() }
      ready = current
      current.channel.subscribe(() => void follow(current))
      await follow(current)
    } catch (thrown) {
      ready?.channel.close()
      ready = undefined
      become({ kind: 'failed', failure: failureOf(thrown) })
    }
  }

  async function tryAgain(): Promise<void> {
    become({ kind: 'preparing' })
    await endSession()
    if (ready !== undefined) await follow(ready)
  }

  return {
    getView() {
      const current = session?.worker.getView()
      const compute = ready?.channel.getState()
      view ??= {
        stage,
        workerId,
        compute,
        session: current,
        reason,
        wasAdmitted,
        record: record.with(current),
      }
      return view
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    start() {
      isPaused = false
      if (stage.kind === 'idle' || stage.kind === 'failed') return void prepare()
      if (session?.worker.getView().connection.kind === 'stopped') return void tryAgain()
      session?.worker.resume()
    },
    pause() {
      isPaused = true
      session?.worker.pause()
    },
    setHidden(hidden) {
      isHidden = hidden
      session?.worker.setHidden(hidden)
    },
    async close() {
      const channel = ready?.channel
      ready = undefined
      await endSession()
      channel?.close()
      become({ kind: 'idle' })
    },
  }
}
