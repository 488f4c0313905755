/** Events for tests, told apart by a number in their detail, and the log that they are written to. */
import type { StreamEventType } from '@shardy/api'
import type { RequesterId, TaskId, TimeMs } from '@shardy/protocol'
import type { Store } from '@shardy/storage'
import type { Table } from '../src/tables.ts'
import type { Appending, EventLog } from '../src/telemetry/eventLog.ts'
import type { StreamRecord } from '../src/telemetry/streamRecord.ts'

export const requesterIds = ['aa', 'bb'].map((byte) => byte.repeat(32) as RequesterId)

export function streamRecordOf(mark: number, more: Partial<StreamRecord> = {}): StreamRecord {
  return {
    atMs: 1_000 as TimeMs,
    type: 'delivered' as StreamEventType,
    requesterId: requesterIds[0],
    taskId: '0a'.repeat(16) as TaskId,
    deliveryId: undefined,
    workerId: undefined,
    outputDigest: undefined,
    detail: String(mark),
    spent: undefined,
    ...more,
  }
}

/** As a driver does it: durable first, then seen. */
export async function commit(store: Store<Table>, appending: Appending): Promise<void> {
  await store.write(appending.operations, { sync: true })
  appending.committed()
}

export function record(store: Store<Table>, log: EventLog, records: readonly StreamRecord[]): Promise<void> {
  return commit(store, log.append(records))
}

const quickTurns = 1_000

/** Lets everything that is under way go on until it holds, or is stuck; what goes over a socket takes as long as the machine does. */
export async function until(holds: () => boolean, turnsMax = 11_000): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    if (turn === turnsMax) throw new Error('it does not come to hold')
    await new Promise((resolve) => (turn < quickTurns ? setImmediate(resolve) : setTimeout(resolve, 1)))
  }
}
