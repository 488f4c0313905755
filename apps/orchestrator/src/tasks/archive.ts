/**
 * Tasks, deliveries, standings and events in the store: how dispatch's rows become one batch, and how they are read
 * back for a restart, for a requester and for a receipt.
 */
import {
  type DeliveryRecord,
  deliveryRecord,
  type EventRecord,
  eventRecord,
  isEnded,
  type Records,
  type Reference,
  type Row,
  type StandingRecord,
  standingRecord,
  type TaskRecord,
  taskRecord,
} from '@shardy/dispatch'
import { encodeHex, type Message, type RequesterId, type TaskId, type TaskStatus } from '@shardy/protocol'
import { type Operation, prefixRange, type Store } from '@shardy/storage'
import { eventKey, idKey, requesterKey, type Table } from '../tables.ts'

const empty = new Uint8Array(0)

function put(table: Table, key: Uint8Array, value: Uint8Array = empty): Operation<Table> {
  return { kind: 'put', table, key, value }
}

function remove(table: Table, key: Uint8Array): Operation<Table> {
  return { kind: 'delete', table, key }
}

type TableStore = Store<Table>
type TableOperation = Operation<Table>

/** A record that our own store gives back in another form is corruption, and not something to work around. */
export function decodeRecord<T>(definition: Message<T>, bytes: Uint8Array): T {
  const decoded = definition.decode(bytes)
  if (!decoded.ok) throw new Error(`the store holds a broken ${definition.name}`, { cause: decoded.refusal })
  return decoded.value
}

function operationsOf(row: Row): readonly TableOperation[] {
  switch (row.table) {
    case 'tasks': {
      const { taskId, requesterId, submittedAtMs, status } = row.record
      const key = idKey(taskId)
      return [
        put('tasks', key, taskRecord.encode(row.record)),
        put('tasksByRequester', requesterKey(requesterId, submittedAtMs, taskId)),
        isEnded(status) ? remove('liveTasks', key) : put('liveTasks', key),
      ]
    }
    case 'deliveries': {
      const { taskId, deliveryId } = row.record
      return [put('deliveries', idKey(taskId, deliveryId), deliveryRecord.encode(row.record))]
    }
    case 'standings':
      return [put('standings', idKey(row.record.workerId), standingRecord.encode(row.record))]
    case 'events': {
      const { taskId, sequence } = row.record
      return [put('events', eventKey(taskId, sequence), eventRecord.encode(row.record))]
    }
  }
}

export interface Page {
  readonly tasks: readonly TaskRecord[]
  readonly nextCursor: string | undefined
}

export interface Archive {
  save(rows: readonly Row[], references: readonly Reference[]): Promise<void>
  /** Everything dispatch needs to go on after a restart. */
  live(): Promise<Records>
  task(taskId: TaskId): Promise<TaskRecord | undefined>
  deliveries(task: TaskRecord): Promise<readonly DeliveryRecord[]>
  events(taskId: TaskId, afterSequence: number): Promise<readonly EventRecord[]>
  standings(): Promise<readonly StandingRecord[]>
  /** Newest first. The cursor is where the page before ended. */
  list(query: {
    readonly requesterId: RequesterId
    readonly status?: TaskStatus
    readonly limit: number
    readonly cursor?: string
  }): Promise<Page>
  /** Forgets an ended task and lets go of its blobs. */
  forget(task: TaskRecord): Promise<void>
}

/** A page that filters by status looks at no more than this many tasks before it hands back a cursor. */
const tasksScannedMax = 2_000
const eventsReadMax = 10_000
/** Side by side, so that a start with many live tasks does not wait for each of them. */
const tasksLoadedAtOnce = 100

export function createArchive(store: TableStore): Archive {
  async function task(taskId: TaskId): Promise<TaskRecord | undefined> {
    const bytes = await store.get('tasks', idKey(taskId))
    return bytes && decodeRecord(taskRecord, bytes)
  }

  async function deliveries(of: Pick<TaskRecord, 'taskId'>): Promise<readonly DeliveryRecord[]> {
    const prefix = idKey(of.taskId)
    const found: DeliveryRecord[] = []
    for await (const { value } of store.iterate('deliveries', prefixRange(prefix))) {
      found.push(decodeRecord(deliveryRecord, value))
    }
    return found
  }

  async function standings(): Promise<readonly StandingRecord[]> {
    const found: StandingRecord[] = []
    for await (const { value } of store.iterate('standings')) found.push(decodeRecord(standingRecord, value))
    return found
  }

  return {
    task,
    deliveries,
    standings,
    save: (rows, references) =>
      store.write(
        [
          ...rows.flatMap(operationsOf),
          ...references.map(({ digest, taskId }) => put('references', idKey(digest, taskId))),
        ],
        { sync: true },
      ),
    async live() {
      const tasks: TaskRecord[] = []
      const open: DeliveryRecord[] = []
      async function load(ids: readonly TaskId[]): Promise<void> {
        const found = await Promise.all(
          ids.map(async (taskId) => ({
            record: await task(taskId),
            deliveries: await deliveries({ taskId }),
          })),
        )
        for (const each of found) {
          if (each.record === undefined) throw new Error('the store lists a live task that it does not hold')
          tasks.push(each.record)
          open.push(...each.deliveries)
        }
      }
      let ids: TaskId[] = []
      for await (const { key } of store.iterate('liveTasks')) {
        if (ids.push(encodeHex(key) as TaskId) < tasksLoadedAtOnce) continue
        await load(ids)
        ids = []
      }
      await load(ids)
      return { tasks, deliveries: open, standings: await standings() }
    },
    async events(taskId, afterSequence) {
      const found: EventRecord[] = []
      const range = {
        ...prefixRange(idKey(taskId)),
        gte: eventKey(taskId, afterSequence + 1),
        limit: eventsReadMax,
      }
      for await (const { value } of store.iterate('events', range)) {
        found.push(decodeRecord(eventRecord, value))
      }
      return found
    },
    async list({ requesterId, status, limit, cursor }) {
      const own = idKey(requesterId)
      const range = { ...prefixRange(own), reverse: true, ...(cursor && { lt: idKey(requesterId, cursor) }) }
      const tasks: TaskRecord[] = []
      let scanned = 0
      let last: string | undefined
      for await (const { key } of store.iterate('tasksByRequester', range)) {
        // Only now is it known that something comes behind the page.
        if (tasks.length === limit || scanned++ === tasksScannedMax) return { tasks, nextCursor: last }
        last = encodeHex(key.subarray(own.length))
        const record = await task(encodeHex(key.subarray(-16)) as TaskId)
        // One that was forgotten meanwhile is no longer there.
        if (record !== undefined && (status ?? record.status) === record.status) tasks.push(record)
      }
      return { tasks, nextCursor: undefined }
    },
    async forget(record) {
      const { taskId, requesterId, submittedAtMs, inputDigest, constants, outputDigest } = record
      const writes: TableOperation[] = [
        remove('tasks', idKey(taskId)),
        remove('tasksByRequester', requesterKey(requesterId, submittedAtMs, taskId)),
        ...[inputDigest, ...constants].map((digest) => remove('references', idKey(digest, taskId))),
      ]
      if (outputDigest !== undefined) {
        writes.push(remove('references', idKey(outputDigest, taskId)))
      }
      const prefix = idKey(taskId)
      for (const table of ['deliveries', 'events'] as const) {
        for await (const { key } of store.iterate(table, prefixRange(prefix))) {
          writes.push(remove(table, key))
        }
      }
      await store.write(writes, { sync: true })
    },
  }
}
