/**
 * Schema 4 to 5: small inputs and outputs move to tables of their own, under keys that begin with the time of their task's
 * submission. The list of tasks by requester has that time for every task, so no record is read, whatever its encoding.
 */
import type { TaskId, TimeMs } from '@shardy/protocol'
import { type Migration, type MigrationStore, type Operation, prefixRange } from '@shardy/storage'
import { payloadKey } from '../tables.ts'

/** Tasks that are looked up together. */
const tasksAtOnceMax = 100
/** One write takes no more, but for one task: 64 answers of 16 kB at most. */
const bytesAtOnceMax = 4 * 1024 * 1024
const requesterBytes = 32
const timeBytes = 8

interface Listed {
  readonly key: Uint8Array
  readonly id: Uint8Array
  readonly submittedAtMs: TimeMs
}

interface Payload {
  readonly from: 'inputs' | 'outputs'
  readonly key: Uint8Array
  readonly value: Uint8Array
}

function listedAt(key: Uint8Array): Listed {
  const submittedAtMs = Number(
    new DataView(key.buffer, key.byteOffset).getBigUint64(requesterBytes),
  ) as TimeMs
  return { key, id: key.slice(requesterBytes + timeBytes), submittedAtMs }
}

async function page(store: MigrationStore, last: Uint8Array | undefined, limit: number): Promise<Listed[]> {
  const range = { ...(last !== undefined && { gte: Uint8Array.of(...last, 0) }), limit }
  const found: Listed[] = []
  for await (const { key } of store.iterate('tasksByRequester', range)) found.push(listedAt(key.slice()))
  return found
}

/** Task by task, what lies beside it. Answers under a delivery's id are there for tasks that are open only. */
async function payloadsOf(store: MigrationStore, listed: readonly Listed[]): Promise<readonly Payload[][]> {
  const ids = listed.map(({ id }) => id)
  const inputs = await store.getMany('inputs', ids)
  const outputs = await store.getMany('outputs', ids)
  const open = await store.getMany('liveTasks', ids)
  const all: Payload[][] = []
  for (const [index, key] of ids.entries()) {
    const [input, output] = [inputs[index], outputs[index]]
    const found: Payload[] = []
    if (input !== undefined) found.push({ from: 'inputs', key, value: input })
    if (open[index] !== undefined) {
      for await (const row of store.iterate('outputs', prefixRange(key)))
        found.push({ from: 'outputs', ...row })
    } else if (output !== undefined) found.push({ from: 'outputs', key, value: output })
    all.push(found)
  }
  return all
}

const targets = { inputs: 'taskInputs', outputs: 'taskOutputs' } as const

function moved({ id, submittedAtMs }: Listed, { from, key, value }: Payload): readonly Operation[] {
  const taskId = id.toHex() as TaskId
  const own = payloadKey({ submittedAtMs, taskId })
  // Behind the task's id lies nothing, or the delivery's.
  const target = Uint8Array.of(...own, ...key.subarray(id.length))
  return [
    { kind: 'put', table: targets[from], key: target, value },
    { kind: 'delete', table: from, key },
  ]
}

export async function migrate(
  store: MigrationStore,
  tasksAtOnce = tasksAtOnceMax,
  bytesAtOnce = bytesAtOnceMax,
): Promise<void> {
  let last = store.cursor
  for (;;) {
    const listed = await page(store, last, tasksAtOnce)
    const payloads = await payloadsOf(store, listed)
    let operations: Operation[] = []
    let bytes = 0
    for (const [index, task] of listed.entries()) {
      for (const payload of payloads[index] ?? []) {
        operations.push(...moved(task, payload))
        bytes += payload.value.length
      }
      last = task.key
      if (bytes < bytesAtOnce && index < listed.length - 1) continue
      await store.write(operations, last)
      operations = []
      bytes = 0
    }
    if (listed.length < tasksAtOnce) return
  }
}

export const from4to5: Migration = {
  from: 4,
  to: 5,
  // What is left in them belongs to no task.
  drops: ['inputs', 'outputs'],
  migrate: (store) => migrate(store),
}
