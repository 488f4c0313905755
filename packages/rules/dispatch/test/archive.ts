/**
 * What a store would hold of the rows that dispatch saves, and what must be true of them: every row has one encoding
 * that decodes to itself, events are numbered without gaps, and what has ended never changes.
 */
import type { TaskId } from '@shardy/protocol'
import {
  type DeliveryRecord,
  deliveryRecord,
  type EventRecord,
  eventRecord,
  isEnded,
  type Records,
  type Row,
  type StandingRecord,
  standingRecord,
  type TaskRecord,
  taskRecord,
} from '../src/index.ts'
import { Broken } from './broken.ts'

export class Archive {
  readonly tasks = new Map<string, TaskRecord>()
  readonly deliveries = new Map<string, DeliveryRecord>()
  readonly standings = new Map<string, StandingRecord>()
  readonly events = new Map<TaskId, EventRecord[]>()

  save(rows: readonly Row[]): void {
    for (const row of rows) {
      assertRoundTrip(row)
      switch (row.table) {
        case 'tasks': {
          const before = this.tasks.get(row.record.taskId)
          if (before !== undefined && isEnded(before.status)) throw new Broken('an ended task changed', row)
          this.tasks.set(row.record.taskId, row.record)
          break
        }
        case 'deliveries': {
          const before = this.deliveries.get(row.record.deliveryId)
          if (before?.state === 'settled') throw new Broken('a settled delivery changed', row)
          this.deliveries.set(row.record.deliveryId, row.record)
          break
        }
        case 'standings':
          this.standings.set(row.record.workerId, row.record)
          break
        case 'events': {
          const { taskId, sequence } = row.record
          const events = this.events.get(taskId) ?? []
          if (sequence !== events.length + 1) throw new Broken('an event is out of sequence', row)
          this.events.set(taskId, [...events, row.record])
          break
        }
      }
    }
  }

  /** As the owner of the store would read them after a restart. */
  records(): Records {
    const tasks = [...this.tasks.values()].filter(({ status }) => !isEnded(status))
    const live = new Set(tasks.map(({ taskId }) => taskId))
    return {
      tasks,
      deliveries: [...this.deliveries.values()].filter(({ taskId }) => live.has(taskId)),
      standings: [...this.standings.values()],
    }
  }

  deliveriesOf(task: TaskRecord): readonly DeliveryRecord[] {
    return task.deliveryIds.map((deliveryId) => {
      const delivery = this.deliveries.get(deliveryId)
      if (delivery === undefined) throw new Broken('a delivery was not saved', deliveryId)
      return delivery
    })
  }
}

function assertRoundTrip(row: Row): void {
  const [bytes, decoded] = (() => {
    switch (row.table) {
      case 'tasks':
        return both(taskRecord, row.record)
      case 'deliveries':
        return both(deliveryRecord, row.record)
      case 'standings':
        return both(standingRecord, row.record)
      case 'events':
        return both(eventRecord, row.record)
    }
  })()
  if (!decoded.ok || !Bun.deepEquals(decoded.value, row.record, true)) {
    throw new Broken('a row does not decode to itself', { row, bytes, decoded })
  }
}

function both<T>(
  definition: { encode(value: T): Uint8Array; decode(bytes: Uint8Array): { ok: boolean; value?: T } },
  value: T,
) {
  const bytes = definition.encode(value)
  return [bytes, definition.decode(bytes)] as const
}
