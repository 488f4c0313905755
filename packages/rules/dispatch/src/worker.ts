/** A connected worker: what it can do, what it holds, and whether it can be given more. */
import type { DeliveryId, PublicKey, WorkerId } from '@shardy/protocol'
import type { Profile } from './input.ts'
import type { DispatchPolicy } from './policy.ts'
import { type DeliveryRecord, isComputing } from './record.ts'

/** What a worker has to know of a delivery that it holds. */
export interface Held {
  readonly deliveryId: DeliveryId
  readonly state: DeliveryRecord['state']
  readonly estimateMs: number
  readonly task: { readonly spec: { readonly outputLength: number } }
  worker: Worker | undefined
}

export interface Worker {
  readonly workerId: WorkerId
  /** For its standing, which begins with its first delivery: a stranger that only joins leaves nothing to keep. */
  readonly publicKey: PublicKey
  profile: Profile
  presence: 'available' | 'hidden' | 'paused'
  draining: boolean
  quarantined: boolean
  /** About to be measured anew. */
  measuring: boolean
  /** Operations a second, as it is now: visible or hidden. */
  rate: number
  /** Deliveries it has still to answer. */
  readonly held: Set<Held>
  /** Of those, the ones that are being computed or wait for that. */
  computing: number
  /** What those are expected to take. */
  busyMs: number
  /** The output of all that it holds. */
  heldBytes: number
  /** Gets nothing for a while, because so much of what it was given came to nothing: its standing says until when. */
  failing: boolean
  /** Programs whose constants it has most likely still at hand, latest last. */
  readonly warm: Set<string>
  /** Its place among the idle; -1: it can take nothing. */
  idleIndex: number
  benchmarkAskedAtMs: number | undefined
}

/** A worker keeps its output until it is asked to reveal, so what it may hold is bounded. */
export const heldMax = 1024
const warmMax = 32

export function newWorker(
  workerId: WorkerId,
  publicKey: PublicKey,
  profile: Profile,
  { quarantined, failing }: Pick<Worker, 'quarantined' | 'failing'>,
): Worker {
  return {
    workerId,
    publicKey,
    profile,
    presence: 'available',
    draining: false,
    quarantined,
    measuring: false,
    rate: profile.operationsPerSecond,
    held: new Set(),
    computing: 0,
    busyMs: 0,
    heldBytes: 0,
    failing,
    warm: new Set(),
    idleIndex: -1,
    benchmarkAskedAtMs: undefined,
  }
}

const failingMsMin = 100
const failingMsMax = 30_000

/** None after one failure, then twice as long with each. What fails during a pause was given before it, and does not count. */
export function failingMs(failures: number): number {
  return failures < 2 ? 0 : Math.min(failingMsMin * 2 ** (failures - 2), failingMsMax)
}

/** What keeps it from anything at all, whatever the task. */
export type Unavailable =
  | 'paused'
  | 'draining'
  | 'quarantined'
  | 'beingMeasured'
  | 'failing'
  | 'noFreeSlot'
  | 'prefetchFull'
  | 'holdsTooMany'

export function unavailable(worker: Worker, { prefetchMs }: DispatchPolicy): Unavailable | undefined {
  if (worker.quarantined) return 'quarantined'
  if (worker.measuring) return 'beingMeasured'
  if (worker.draining) return 'draining'
  if (worker.presence === 'paused') return 'paused'
  if (worker.failing) return 'failing'
  if (worker.held.size >= heldMax) return 'holdsTooMany'
  const { slots, prefetch } = worker.profile
  if (worker.computing < slots) return undefined
  if (worker.computing >= slots + prefetch) return 'noFreeSlot'
  return worker.busyMs >= prefetchMs * slots ? 'prefetchFull' : undefined
}

/**
 * Whoever has committed holds its output until the other replicas have, which may be never where too few workers are
 * connected. The second half of what it may hold is kept for tasks that its delivery makes complete.
 */
export function keepsRoom({ held, computing, heldBytes }: Worker, { heldBytesMax }: DispatchPolicy): boolean {
  return held.size - computing >= heldMax / 2 || heldBytes >= heldBytesMax / 2
}

export function setPresence(worker: Worker, presence: Worker['presence']): void {
  worker.presence = presence
  const { operationsPerSecond, hiddenPermille } = worker.profile
  worker.rate = presence === 'hidden' ? (operationsPerSecond * hiddenPermille) / 1000 : operationsPerSecond
}

export function hold(worker: Worker, delivery: Held): void {
  delivery.worker = worker
  worker.held.add(delivery)
  worker.computing++
  worker.busyMs += delivery.estimateMs
  worker.heldBytes += delivery.task.spec.outputLength
}

/** The delivery no longer takes a slot: it is committed to, answered or lost. Call it while the state still says so. */
export function endComputing(worker: Worker, delivery: Held): void {
  if (!isComputing(delivery)) return
  worker.computing--
  worker.busyMs = worker.computing === 0 ? 0 : Math.max(0, worker.busyMs - delivery.estimateMs)
}

export function letGo(worker: Worker, delivery: Held): void {
  if (!worker.held.delete(delivery)) return
  endComputing(worker, delivery)
  worker.heldBytes -= delivery.task.spec.outputLength
  delivery.worker = undefined
}

export function remember(worker: Worker, programId: string): void {
  worker.warm.delete(programId)
  worker.warm.add(programId)
  if (worker.warm.size <= warmMax) return
  for (const oldest of worker.warm) {
    worker.warm.delete(oldest)
    return
  }
}
