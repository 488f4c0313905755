/**
 * Forgets tasks that ended long ago, with their small inputs and outputs and what they refer to; blobs that nobody refers to any
 * more are collected afterwards. In bounded steps: each looks at some rows and goes on later where it stopped.
 */
import { isEnded, type TaskRecord } from '@shardy/dispatch'
import { encodeHex, type TaskId, type TimeMs } from '@shardy/protocol'
import { prefixRange, type Store } from '@shardy/storage'
import type { Table } from '../tables.ts'
import type { Archive } from '../tasks/archive.ts'
import type { Turns } from '../turns.ts'

export interface RetentionParts {
  readonly store: Store<Table>
  readonly archive: Pick<Archive, 'task' | 'forget'>
  readonly taskTurns: Turns<TaskId>
  /** Somebody still counts on it: a campaign that has not ended, an audit that is not decided. */
  readonly isWanted: (task: TaskRecord) => boolean
  /** Resolves when all that is decided is durable. */
  caughtUp(): Promise<void>
}

export interface Retention {
  /** How many tasks went that ended before then, and whether a step more may find others. */
  step(beforeMs: TimeMs): Promise<{ readonly forgotten: number; readonly more: boolean }>
}

const rowsPerStep = 500
const requesterBytes = 32
const timeBytes = 8

export function createRetention({
  store,
  archive,
  taskTurns,
  isWanted,
  caughtUp,
}: RetentionParts): Retention {
  /** Everything before it was looked at in this round. */
  let from: Uint8Array | undefined

  async function forgettable(taskId: TaskId, beforeMs: TimeMs): Promise<TaskRecord | undefined> {
    const task = await archive.task(taskId)
    if (task === undefined || !isEnded(task.status) || isWanted(task)) return undefined
    return (task.decidedAtMs ?? beforeMs) < beforeMs ? task : undefined
  }

  async function forget(taskId: TaskId, beforeMs: TimeMs): Promise<boolean> {
    return taskTurns.take(taskId, async () => {
      const task = await forgettable(taskId, beforeMs)
      if (task !== undefined) await archive.forget(task, { sync: false })
      return task !== undefined
    })
  }

  /** What nobody wants any more may still be about to be written: its audit is decided, and not durable. */
  async function forgetAll(taskIds: readonly TaskId[], beforeMs: TimeMs): Promise<number> {
    const unwanted: TaskId[] = []
    for (const taskId of taskIds)
      if ((await forgettable(taskId, beforeMs)) !== undefined) unwanted.push(taskId)
    if (unwanted.length > 0) await caughtUp()
    let forgotten = 0
    for (const taskId of unwanted) if (await forget(taskId, beforeMs)) forgotten++
    return forgotten
  }

  return {
    async step(beforeMs) {
      let forgotten = 0
      let scanned = 0
      while (scanned < rowsPerStep) {
        // Closed before anything is forgotten, so that no view of the store is held for long.
        const keys: Uint8Array[] = []
        const range = { ...(from && { gte: from }), limit: rowsPerStep - scanned }
        for await (const { key } of store.iterate('tasksByRequester', range)) keys.push(key)
        if (keys.length === 0) {
          from = undefined
          return { forgotten, more: false }
        }
        const old: TaskId[] = []
        for (const key of keys) {
          scanned++
          const submittedAtMs = Number(
            new DataView(key.buffer, key.byteOffset, key.byteLength).getBigUint64(requesterBytes),
          )
          // Of this requester, everything behind is younger still.
          if (submittedAtMs >= beforeMs) {
            from = prefixRange(key.subarray(0, requesterBytes)).lt
            break
          }
          from = Uint8Array.of(...key, 0)
          old.push(encodeHex(key.subarray(requesterBytes + timeBytes)) as TaskId)
        }
        forgotten += await forgetAll(old, beforeMs)
        if (from === undefined) return { forgotten, more: false }
      }
      return { forgotten, more: true }
    },
  }
}
