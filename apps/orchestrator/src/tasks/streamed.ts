/** What the stream of all events tells of a commit: every transition, and with a verdict what it took. */
import type { Offence, Task } from '@shardy/dispatch'
import { finalEventTypes, type MicroCredit, messageLengthMax, type TimeMs } from '@shardy/protocol'
import { spentOn } from '../book/spent.ts'
import type { SpentRecord, StreamRecord } from '../telemetry/streamRecord.ts'
import type { Published } from './dispatcher.ts'

export function streamedEvent({ task, entry }: Published): StreamRecord {
  const { taskId, requesterId } = task.spec
  const delivery = entry.attempt === 0 ? undefined : task.deliveries[entry.attempt - 1]
  return {
    atMs: entry.atMs,
    type: entry.type,
    requesterId,
    taskId,
    deliveryId: delivery?.deliveryId,
    workerId: delivery?.workerId,
    outputDigest: entry.outputDigest,
    detail: entry.detail,
    spent: finalEventTypes.includes(entry.type) ? spentBy(task) : undefined,
  }
}

export function streamedOffence(
  offence: Offence,
  requesterId: StreamRecord['requesterId'],
  atMs: TimeMs,
): StreamRecord {
  const { taskId, deliveryId, workerId, outputDigest, consequence, detail } = offence
  return {
    atMs,
    type: 'offence',
    requesterId,
    taskId,
    deliveryId,
    workerId,
    outputDigest,
    detail: `${consequence.kind}: ${detail}`.slice(0, messageLengthMax).replace(/[^\x20-\x7e]/g, '?'),
    spent: undefined,
  }
}

/** Over all its deliveries, those included that came to nothing. */
function spentBy({ spec, deliveries, basis, checkedBy }: Task): SpentRecord {
  const answered = deliveries.filter(({ answeredAtMs }) => answeredAtMs !== undefined)
  const paid = deliveries.filter(({ outcome }) => outcome === 'accepted')
  const computeMs = answered.reduce(
    (sum, { leasedAtMs, answeredAtMs = leasedAtMs }) => sum + answeredAtMs - leasedAtMs,
    0,
  )
  return {
    workUnits: Number(spentOn(spec, paid.length)),
    bytesIn: spec.inputLength * deliveries.length,
    bytesOut: spec.outputLength * answered.length,
    computeMs,
    replicas: deliveries.length,
    checkedBy: checkedBy ?? basis ?? '',
    rewardMicroCredit: paid.reduce(
      (sum, { rewardMicroCredit }) => sum + rewardMicroCredit,
      0n,
    ) as MicroCredit,
  }
}
