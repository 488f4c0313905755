/** How long a worker may take, and how long a task waits after a delivery that came to nothing. */
import {
  type DeliveryId,
  domainPayload,
  encodeHex,
  field,
  message,
  type Sha256,
  type TaskId,
  type TimeMs,
  values,
  whole,
} from '@shardy/protocol'
import type { TaskRecord } from './record.ts'
import type { DispatchPolicy, Worker } from './state.ts'

/** Sized from the worker's measured rate, so that a slow device gets the time it needs and no more. */
export function leaseEndMs(atMs: TimeMs, task: TaskRecord, worker: Worker, policy: DispatchPolicy): TimeMs {
  const computeMs = (1000 * task.complexity) / Math.max(1, worker.operationsPerSecond)
  const transferMs = (1000 * (task.inputLength + task.outputLength)) / policy.transferBytesPerSecond
  const leaseMs = Math.ceil((computeMs + transferMs) * policy.leaseFactor)
  const bounded = Math.min(Math.max(leaseMs, policy.leaseMsMin), policy.leaseMsMax)
  return Math.min(atMs + bounded, task.deadlineMs) as TimeMs
}

const attemptContent = message('AttemptContent', {
  taskId: field(1, values.taskId),
  attempt: field(2, whole(0, 65_535)),
})

/** Ids follow from task and attempt: no randomness is needed, and a replayed log gives the same ids. */
export function deliveryIdOf(taskId: TaskId, attempt: number, sha256: Sha256): DeliveryId {
  const bytes = sha256(domainPayload('delivery-id', attemptContent.encode({ taskId, attempt })))
  return encodeHex(bytes.subarray(0, 16)) as DeliveryId
}

/** Doubles with each failure up to a bound; up to half of it again is jitter, drawn from task and failure count. */
export function backoffMs(task: TaskRecord, policy: DispatchPolicy, sha256: Sha256): number {
  const doubled = policy.backoffMsMin * 2 ** Math.max(0, task.failures - 1)
  const base = Math.min(doubled, policy.backoffMsMax)
  const seed = sha256(
    domainPayload('retry', attemptContent.encode({ taskId: task.taskId, attempt: task.failures })),
  )
  const share = ((seed[0] ?? 0) * 256 + (seed[1] ?? 0)) / 65_536
  return Math.round(base * (1 + share / 2))
}
