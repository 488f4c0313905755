/**
 * How long a worker may take (spec D10, D12), how long a task waits after a delivery that came to nothing (D16), and what
 * deliveries are called (D9).
 */
import {
  type DeliveryId,
  domainPayload,
  encodeHex,
  field,
  message,
  type Sha256,
  type TimeMs,
  values,
  whole,
} from '@shardy/protocol'
import type { DispatchPolicy } from './policy.ts'
import type { TaskSpec } from './record.ts'
import type { Task } from './task.ts'
import type { Worker } from './worker.ts'

/** What one delivery of the task takes the worker when it has nothing else to do; its answer counts once its audit has held. */
export function estimateMs(spec: TaskSpec, worker: Worker, policy: DispatchPolicy): number {
  const { complexity, programId, constantBytes, inputLength, outputLength } = spec
  const computeMs = (1000 * complexity) / Math.max(policy.operationsPerSecondMin, worker.rate)
  const fetched = constantBytes > 0 && !worker.warm.has(programId) ? constantBytes : 0
  return computeMs + transferMs(inputLength + outputLength + fetched, policy) + auditMs(spec, policy)
}

function auditMs({ proof }: TaskSpec, { blockProofMs }: DispatchPolicy): number {
  return proof === 'v3' ? blockProofMs : 0
}

/**
 * Sized from the worker's measured rate, so that a slow device gets the time it needs and no more: what waits there
 * already is counted. No lease takes more than a part of the time that its task has left.
 */
export function leaseEndMs(
  atMs: TimeMs,
  task: Task,
  worker: Worker,
  ownMs: number,
  policy: DispatchPolicy,
): TimeMs {
  const neededMs = (ownMs + worker.busyMs) * policy.leaseFactor
  const shareMs = Math.floor((task.deadlineMs - atMs) / leasesPerTaskMin)
  const boundMs = Math.min(Math.ceil(neededMs), policy.leaseMsMax, shareMs)
  return Math.min(atMs + Math.max(boundMs, policy.leaseMsMin), task.deadlineMs) as TimeMs
}

/** No lease takes more than this part of the time that its task has left. */
const leasesPerTaskMin = 4

/**
 * A reveal comes with the answer, with the output where it is wanted, which a slow line must have time to send; where a block is to be
 * proven, the audit is still to come.
 */
export function revealEndMs(atMs: TimeMs, task: Task, policy: DispatchPolicy): TimeMs {
  const { keepOutput, outputLength, proof } = task.spec
  const outputMs = keepOutput || proof === 'v3' ? transferMs(outputLength, policy) : 0
  const moreMs = Math.ceil((outputMs + auditMs(task.spec, policy)) * policy.leaseFactor)
  const revealMs = Math.min(policy.revealMs + moreMs, policy.leaseMsMax)
  return Math.min(atMs + revealMs, task.deadlineMs) as TimeMs
}

function transferMs(bytes: number, policy: DispatchPolicy): number {
  return (1000 * bytes) / policy.transferBytesPerSecond
}

const attemptContent = message('AttemptContent', {
  taskId: field(1, values.taskId),
  attempt: field(2, whole(0, 65_535)),
  submittedAtMs: field(3, values.timeMs),
  epoch: field(4, whole(0, Number.MAX_SAFE_INTEGER)),
})

/**
 * Ids follow from task, attempt and epoch: no randomness is needed, and a replayed log gives the same ids. Leases are not on disk
 * when they are sent, so the epoch, which grows with every start, keeps an id from being given twice.
 */
export function deliveryIdOf(task: Task, attempt: number, epoch: number, sha256: Sha256): DeliveryId {
  const { taskId, submittedAtMs } = task.spec
  const content = attemptContent.encode({ taskId, attempt, submittedAtMs, epoch })
  return encodeHex(sha256(domainPayload('delivery-id', content)).subarray(0, 16)) as DeliveryId
}

/** Doubles with each failure up to a bound; up to half of it again is jitter, drawn from task and failure count. */
export function backoffMs(task: Task, policy: DispatchPolicy, sha256: Sha256): number {
  const doubled = policy.backoffMsMin * 2 ** Math.max(0, task.failures - 1)
  const base = Math.min(doubled, policy.backoffMsMax)
  const { taskId, submittedAtMs } = task.spec
  const content = attemptContent.encode({ taskId, attempt: task.failures, submittedAtMs, epoch: 0 })
  const seed = sha256(domainPayload('retry', content))
  const share = ((seed[0] ?? 0) * 256 + (seed[1] ?? 0)) / 65_536
  return Math.round(base * (1 + share / 2))
}
