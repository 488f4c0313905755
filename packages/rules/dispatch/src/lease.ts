/**
 * How long a worker may take (spec D10, D12), and how long a task waits after a delivery that came to nothing (D16).
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
import type { TaskRecord } from './record.ts'
import type { DispatchPolicy, Worker } from './state.ts'

/**
 * Sized from the worker's measured rate, so that a slow device gets the time it needs and no more. Its slots share
 * that rate and its line. The rate is the worker's own word: with its floor and the share of the task's time, who
 * claims little and then says nothing leaves time for others.
 */
export function leaseEndMs(atMs: TimeMs, task: TaskRecord, worker: Worker, policy: DispatchPolicy): TimeMs {
  const computeMs =
    (1000 * task.complexity) / Math.max(policy.operationsPerSecondMin, worker.operationsPerSecond)
  const bytes = task.inputLength + task.constantBytes + task.outputLength
  const neededMs = (computeMs + transferMs(bytes, policy)) * worker.slots
  const shareMs = Math.floor((task.deadlineMs - atMs) / leasesPerTaskMin)
  const boundMs = Math.min(Math.ceil(neededMs * policy.leaseFactor), policy.leaseMsMax, shareMs)
  return Math.min(atMs + Math.max(boundMs, policy.leaseMsMin), task.deadlineMs) as TimeMs
}

/** No lease takes more than this part of the time that its task has left. */
const leasesPerTaskMin = 4

/** A reveal is followed by the answer, with the output where it is kept, which a slow line must have time to send. */
export function revealEndMs(atMs: TimeMs, task: TaskRecord, policy: DispatchPolicy): TimeMs {
  const outputMs = task.keepOutput ? transferMs(task.outputLength, policy) * policy.leaseFactor : 0
  const revealMs = Math.min(policy.revealMs + Math.ceil(outputMs), policy.leaseMsMax)
  return Math.min(atMs + revealMs, task.deadlineMs) as TimeMs
}

function transferMs(bytes: number, policy: DispatchPolicy): number {
  return (1000 * bytes) / policy.transferBytesPerSecond
}

const attemptContent = message('AttemptContent', {
  taskId: field(1, values.taskId),
  attempt: field(2, whole(0, 65_535)),
  submittedAtMs: field(3, values.timeMs),
})

type Submitted = Pick<TaskRecord, 'taskId' | 'submittedAtMs'>

/**
 * Ids follow from task and attempt: no randomness is needed, and a replayed log gives the same ids. A task that was
 * forgotten and submitted again has another time, so that no worker is told an id twice.
 */
export function deliveryIdOf(
  { taskId, submittedAtMs }: Submitted,
  attempt: number,
  sha256: Sha256,
): DeliveryId {
  const bytes = sha256(
    domainPayload('delivery-id', attemptContent.encode({ taskId, attempt, submittedAtMs })),
  )
  return encodeHex(bytes.subarray(0, 16)) as DeliveryId
}

/** Doubles with each failure up to a bound; up to half of it again is jitter, drawn from task and failure count. */
export function backoffMs(task: TaskRecord, policy: DispatchPolicy, sha256: Sha256): number {
  const doubled = policy.backoffMsMin * 2 ** Math.max(0, task.failures - 1)
  const base = Math.min(doubled, policy.backoffMsMax)
  const { taskId, submittedAtMs, failures: attempt } = task
  const seed = sha256(domainPayload('retry', attemptContent.encode({ taskId, attempt, submittedAtMs })))
  const share = ((seed[0] ?? 0) * 256 + (seed[1] ?? 0)) / 65_536
  return Math.round(base * (1 + share / 2))
}
