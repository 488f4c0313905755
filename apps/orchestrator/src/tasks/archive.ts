/**
 * Tasks and standings in the store: how one commit's changes become one batch, and how they are read back for a restart, for
 * a requester and for a receipt.
 */
import {
  isEnded,
  type LateAudit,
  type LateAuditRecord,
  lateAuditOf,
  lateAuditRecord,
  type Records,
  type Stake,
  type StandingRecord,
  standingRecord,
  type Task,
  type TaskRecord,
  taskRecord,
} from '@shardy/dispatch'
import {
  type DeliveryId,
  encodeHex,
  type Message,
  type RequesterId,
  type TaskId,
  type TaskStatus,
  type WorkerId,
} from '@shardy/protocol'
import { type Operation, prefixRange, type Store } from '@shardy/storage'
import { idKey, payloadKey, requesterKey, type Table } from '../tables.ts'
import type { Changes } from './dispatcher.ts'
import { isInline, type Payloads } from './payloads.ts'

const empty = new Uint8Array(0)

type TableStore = Store<Table>
export type TableOperation = Operation<Table>

function put(table: Table, key: Uint8Array, value: Uint8Array = empty): TableOperation {
  return { kind: 'put', table, key, value }
}

function remove(table: Table, key: Uint8Array): TableOperation {
  return { kind: 'delete', table, key }
}

/** A record that our own store gives back in another form is corruption, and not something to work around. */
export function decodeRecord<T>(definition: Message<T>, bytes: Uint8Array): T {
  const decoded = definition.decode(bytes)
  if (!decoded.ok) throw new Error(`the store holds a broken ${definition.name}`, { cause: decoded.refusal })
  return decoded.value
}

export interface Page {
  readonly tasks: readonly TaskRecord[]
  readonly nextCursor: string | undefined
}

export interface Archive {
  /** What makes a commit's tasks and standings durable; the caller adds what belongs to it and writes all at once. */
  operations(changes: Changes): TableOperation[]
  /** Everything dispatch needs to go on after a restart; what workers would lose is the book's to say. */
  live(stakeOf: (workerId: WorkerId) => Stake): Promise<Omit<Records, 'mode'>>
  /** As it was last saved. */
  task(taskId: TaskId): Promise<TaskRecord | undefined>
  /** Those of them that there are, `live` ones as they are now. */
  known(
    taskIds: readonly TaskId[],
    live: (taskId: TaskId) => TaskRecord | undefined,
  ): Promise<ReadonlyMap<TaskId, TaskRecord>>
  /** Newest first. The cursor is where the page before ended. */
  list(query: {
    readonly requesterId: RequesterId
    readonly status?: TaskStatus
    readonly limit: number
    readonly cursor?: string
  }): Promise<Page>
  /** Everybody's, by id. The cursor is the last id of the page before. */
  deadLetters(limit: number, cursor: string | undefined): Promise<Page>
  /** Forgets an ended task and lets go of its blobs. Unless it is synced, a power cut may bring it back. */
  forget(task: TaskRecord, options?: { readonly sync: boolean }): Promise<void>
}

/** A page that filters by status looks at no more than this many tasks before it hands back a cursor. */
const tasksScannedMax = 2_000

export function createArchive(store: TableStore, payloads: Payloads): Archive {
  async function task(taskId: TaskId): Promise<TaskRecord | undefined> {
    const key = idKey(taskId)
    // It may move from one table to the other, and back, while they are read.
    const bytes =
      (await store.get('liveTasks', key)) ??
      (await store.get('tasks', key)) ??
      (await store.get('liveTasks', key))
    return bytes && decodeRecord(taskRecord, bytes)
  }

  function addSubmitted(operations: TableOperation[], { spec }: Task): void {
    const { taskId, requesterId, submittedAtMs, inputLength, inputDigest, constants } = spec
    operations.push(put('tasksByRequester', requesterKey(requesterId, submittedAtMs, taskId)))
    const input = isInline(inputLength) ? payloads.inputToWrite(taskId) : undefined
    if (input !== undefined) operations.push(put('taskInputs', payloadKey(spec), input))
    else if (inputLength > 0) operations.push(put('references', idKey(inputDigest, taskId)))
    for (const digest of constants) operations.push(put('references', idKey(digest, taskId)))
  }

  /** The small answers of live tasks whose bytes are on disk, because their records say that they are there. */
  const keptAnswers = new Map<TaskId, DeliveryId[]>()

  function addAnswers(operations: TableOperation[], { spec, deliveries }: Task): void {
    if (!isInline(spec.outputLength)) return
    for (const { state, deliveryId } of deliveries) {
      const answer = state === 'answered' ? payloads.answer(deliveryId) : undefined
      const kept = keptAnswers.get(spec.taskId) ?? []
      if (answer === undefined || kept.includes(deliveryId)) continue
      keptAnswers.set(spec.taskId, [...kept, deliveryId])
      operations.push(put('taskOutputs', payloadKey(spec, deliveryId), answer.output))
    }
  }

  async function takeAnswers({ spec, deliveries }: TaskRecord): Promise<void> {
    if (!isInline(spec.outputLength)) return
    const answered = deliveries.filter(({ state }) => state === 'answered')
    const kept: DeliveryId[] = []
    for (const { deliveryId } of answered) {
      const output = await store.get('taskOutputs', payloadKey(spec, deliveryId))
      if (output === undefined) continue
      kept.push(deliveryId)
      payloads.holdAnswer(deliveryId, { output, transcript: [] })
    }
    if (kept.length > 0) keptAnswers.set(spec.taskId, kept)
  }

  function addEnded(operations: TableOperation[], ended: Task, key: Uint8Array): void {
    const { spec, status, outputDigest } = ended
    const { taskId } = spec
    for (const deliveryId of keptAnswers.get(taskId) ?? []) {
      operations.push(remove('taskOutputs', payloadKey(spec, deliveryId)))
    }
    keptAnswers.delete(taskId)
    if (status === 'dead') operations.push(put('deadLetters', key))
    if (outputDigest === undefined || !spec.keepOutput) return
    const output = isInline(spec.outputLength) ? acceptedOutput(ended) : undefined
    if (output !== undefined) operations.push(put('taskOutputs', payloadKey(spec), output))
    else operations.push(put('references', idKey(outputDigest, spec.taskId)))
  }

  function addLateAudit(operations: TableOperation[], { delivery, isDecided }: LateAudit): void {
    const { deliveryId, task } = delivery
    const [key, outputKey] = [idKey(deliveryId), payloadKey(task.spec, deliveryId)]
    if (isDecided) {
      operations.push(remove('lateAudits', key), remove('taskOutputs', outputKey))
      return
    }
    operations.push(put('lateAudits', key, lateAuditRecord.encode(lateAuditOf(delivery))))
    const answer = isInline(task.spec.outputLength) ? payloads.answer(deliveryId) : undefined
    if (answer !== undefined) operations.push(put('taskOutputs', outputKey, answer.output))
  }

  async function takeLateAudits(): Promise<Records['lateAudits']> {
    const audits: LateAuditRecord[] = []
    for await (const { value } of store.iterate('lateAudits')) {
      audits.push(decodeRecord(lateAuditRecord, value))
    }
    const taken: { audit: LateAuditRecord; task: TaskRecord }[] = []
    for (const audit of audits) {
      const { taskId, deliveryId } = audit
      const record = await task(taskId)
      const delivery = record?.deliveries.find((each) => each.deliveryId === deliveryId)
      // That one was decided is written with the next commit: by then its task may have been forgotten.
      const outputKey = payloadKey(audit, deliveryId)
      if (record === undefined || delivery === undefined) {
        const rows = [remove('lateAudits', idKey(deliveryId)), remove('taskOutputs', outputKey)]
        await store.write(rows, { sync: false })
        continue
      }
      taken.push({ audit, task: record })
      const output = await store.get('taskOutputs', outputKey)
      if (output !== undefined) payloads.holdAnswer(deliveryId, { output, transcript: [] })
    }
    return taken
  }

  /** Of any answer that was accepted: the bytes of one that came before a restart may be lost, and all have the same digest. */
  function acceptedOutput({ deliveries, outputDigest: right }: Task): Uint8Array | undefined {
    for (const { outcome, outputDigest, deliveryId } of deliveries) {
      const held = outcome === 'accepted' && outputDigest === right ? payloads.answer(deliveryId) : undefined
      if (held !== undefined) return held.output
    }
    return undefined
  }

  return {
    task,
    async known(taskIds, live) {
      const found = new Map<TaskId, TaskRecord>()
      const rest: TaskId[] = []
      for (const taskId of taskIds) {
        const task = live(taskId)
        if (task === undefined) rest.push(taskId)
        else found.set(taskId, task)
      }
      if (rest.length === 0) return found
      const keys = rest.map((taskId) => idKey(taskId))
      // Open ones first: one that ends meanwhile is found all the same.
      const [open, ended] = [await store.getMany('liveTasks', keys), await store.getMany('tasks', keys)]
      rest.forEach((taskId, index) => {
        const bytes = ended[index] ?? open[index]
        if (bytes !== undefined) found.set(taskId, decodeRecord(taskRecord, bytes))
      })
      return found
    },
    operations({ tasks, submitted, revived, standings, lateAudits }) {
      const operations: TableOperation[] = []
      for (const each of tasks) {
        const { taskId } = each.spec
        const key = idKey(taskId)
        const record = taskRecord.encode(each)
        if (submitted.has(each)) addSubmitted(operations, each)
        if (revived.has(each)) operations.push(remove('tasks', key), remove('deadLetters', key))
        if (!isEnded(each.status)) {
          operations.push(put('liveTasks', key, record))
          addAnswers(operations, each)
          continue
        }
        // One that came and went within the commit was never there.
        if (!submitted.has(each)) operations.push(remove('liveTasks', key))
        operations.push(put('tasks', key, record))
        addEnded(operations, each, key)
      }
      for (const standing of standings) {
        operations.push(put('standings', idKey(standing.workerId), standingRecord.encode(standing)))
      }
      // Behind the tasks, whose end takes their answers away.
      for (const each of lateAudits) addLateAudit(operations, each)
      return operations
    },
    async live(stakeOf) {
      const tasks: TaskRecord[] = []
      for await (const { value } of store.iterate('liveTasks')) tasks.push(decodeRecord(taskRecord, value))
      for (const each of tasks) await takeAnswers(each)
      const standings: StandingRecord[] = []
      const stakes = new Map<WorkerId, Stake>()
      for await (const { value } of store.iterate('standings')) {
        const standing = decodeRecord(standingRecord, value)
        const stake = stakeOf(standing.workerId)
        standings.push(standing)
        if (stake.lockedMicroCredit > 0n) stakes.set(standing.workerId, stake)
      }
      return { tasks, standings, stakes, lateAudits: await takeLateAudits() }
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
    async deadLetters(limit, cursor) {
      const tasks: TaskRecord[] = []
      const from = cursor === undefined ? {} : { gte: behind(idKey(cursor)) }
      for await (const { key } of store.iterate('deadLetters', { ...from, limit: limit + 1 })) {
        const taskId = encodeHex(key) as TaskId
        if (tasks.length === limit) return { tasks, nextCursor: tasks.at(-1)?.spec.taskId }
        const record = await task(taskId)
        if (record !== undefined) tasks.push(record)
      }
      return { tasks, nextCursor: undefined }
    },
    async forget({ spec, outputDigest }, { sync } = { sync: true }) {
      const { taskId, requesterId, submittedAtMs, inputDigest, constants } = spec
      const key = idKey(taskId)
      const writes: TableOperation[] = [
        remove('tasks', key),
        remove('deadLetters', key),
        remove('taskInputs', payloadKey(spec)),
        remove('taskOutputs', payloadKey(spec)),
        remove('tasksByRequester', requesterKey(requesterId, submittedAtMs, taskId)),
        ...[inputDigest, ...constants].map((digest) => remove('references', idKey(digest, taskId))),
      ]
      if (outputDigest !== undefined) writes.push(remove('references', idKey(outputDigest, taskId)))
      await store.write(writes, { sync })
    },
  }
}

/** The first key that comes behind this one. */
function behind(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}
