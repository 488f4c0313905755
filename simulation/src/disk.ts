/**
 * A disk below one process after another: the memory store, whose writes take time. When the process dies, what was synced is
 * there; of what was not, and of what was on its way, a beginning may be, as with a log that is cut somewhere.
 */
import { schemaVersion, type Table, tables } from '@shardy/app-orchestrator/parts'
import { type Operation, openStore, type Store, type WriteOptions } from '@shardy/storage'
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'

type Batch = readonly Operation<Table>[]

interface InFlight {
  readonly batch: Batch
  readonly sync: WriteOptions['sync']
}

export interface Disk {
  /** For one process; after the next crash it neither answers nor writes. */
  open(): Store<Table>
  /** The process is dead: its writes are cut. Resolves once the disk can be opened again. */
  crash(): Promise<void>
  /** Reads and writes take this long, in virtual time. */
  slowness: number
  writes: number
}

const never = new Promise<never>(() => {})

export async function createDisk(schedule: Schedule, random: Random): Promise<Disk> {
  const store = await openStore<Table>({ kind: 'memory', schemaVersion, tables })
  let generation = 0
  let inFlight: InFlight[] = []
  /** For each batch that is applied but not synced, what takes it back. */
  let unsynced: Batch[] = []
  let lastDueMs = 0

  async function undoOf(batch: Batch): Promise<Batch> {
    const undo: Operation<Table>[] = []
    for (const operation of batch) {
      const { table } = operation
      if (operation.kind === 'deleteRange') {
        const { gte, lt } = operation
        for await (const { key, value } of store.iterate(table, { gte, lt }))
          undo.push({ kind: 'put', table, key, value })
        continue
      }
      const { key } = operation
      const value = await store.get(table, key)
      undo.push(value === undefined ? { kind: 'delete', table, key } : { kind: 'put', table, key, value })
    }
    return undo.reverse()
  }

  async function apply({ batch, sync }: InFlight): Promise<void> {
    if (sync) unsynced = []
    else unsynced.push(await undoOf(batch))
    await store.write(batch, { sync: false })
  }

  const disk: Disk = {
    slowness: 2,
    writes: 0,
    open() {
      const own = generation
      const isDead = (): boolean => own !== generation
      return {
        get: (table, key) => (isDead() ? never : store.get(table, key)),
        getMany: (table, keys) => (isDead() ? never : store.getMany(table, keys)),
        async *iterate(table, range) {
          if (isDead()) await never
          yield* store.iterate(table, range)
        },
        snapshot: () => store.snapshot(),
        close: async () => {},
        write(batch: Batch, { sync }: WriteOptions) {
          if (isDead()) return never
          disk.writes++
          const write = { batch, sync }
          inFlight.push(write)
          const delayMs = random.chance(0.05)
            ? random.below(5 * disk.slowness + 1)
            : random.below(disk.slowness + 1)
          // One after the other, as they were given.
          lastDueMs = Math.max(lastDueMs, schedule.nowMs + delayMs)
          return new Promise<void>((resolve) => {
            schedule.after(lastDueMs - schedule.nowMs, async () => {
              if (isDead()) return
              inFlight.shift()
              await apply(write)
              resolve()
            })
          })
        },
      }
    },
    async crash() {
      generation++
      const cut = inFlight
      inFlight = []
      lastDueMs = 0
      const survivors = random.below(unsynced.length + cut.length + 1)
      if (survivors < unsynced.length) {
        for (const undo of unsynced.slice(survivors).reverse()) await store.write(undo, { sync: false })
      } else {
        for (const write of cut.slice(0, survivors - unsynced.length)) await apply(write)
      }
      unsynced = []
    },
  }
  return disk
}
