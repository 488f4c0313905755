/**
 * A memory store that remembers every write, so that a test can go back to what a disk would hold had the process ended
 * between any two of them: everything up to a write, or, after a power cut, everything up to the last one that was synced.
 */
import { type BlobStore, type Operation, openBlobStore, openStore, type Store } from '@shardy/storage'
import { columns, schemaVersion, type Table, tables } from '../../src/tables.ts'

interface Write {
  readonly batch: readonly Operation<Table>[]
  readonly sync: boolean
  readonly atMs: number
}

export interface LoggedStore extends Store<Table> {
  readonly writes: readonly Write[]
  clock: { nowMs(): number } | undefined
}

export const blobBytesMax = 1024 * 1024

export type Ending = 'killed' | 'powerCut'

const openEmpty = (): Promise<Store<Table>> => openStore({ kind: 'memory', tables, columns, schemaVersion })

/** A store with these writes in it, which are where it begins. */
export async function openLogged(before: readonly Write[] = []): Promise<LoggedStore> {
  const store = await openEmpty()
  for (const { batch } of before) await store.write(batch, { sync: false })
  const writes = [...before]
  const logged: LoggedStore = {
    clock: undefined,
    get: (table, key) => store.get(table, key),
    getMany: (table, keys) => store.getMany(table, keys),
    iterate: (table, range) => store.iterate(table, range),
    snapshot: () => store.snapshot(),
    close: () => store.close(),
    writes,
    write(batch, { sync }) {
      // As the store does: in the order in which they were handed over. What is in it may be changed afterwards.
      writes.push({ batch: batch.map(copied), sync: sync !== false, atMs: logged.clock?.nowMs() ?? 0 })
      return store.write(batch, { sync })
    },
  }
  return logged
}

function copied(operation: Operation<Table>): Operation<Table> {
  if (operation.kind !== 'put') return { ...operation }
  return { ...operation, key: operation.key.slice(), value: operation.value.slice() }
}

/** What is there after the process ended behind its n-th write. */
export function remaining(writes: readonly Write[], count: number, ending: Ending): readonly Write[] {
  let kept = count
  if (ending === 'powerCut') while (kept > 0 && writes[kept - 1]?.sync === false) kept--
  return writes.slice(0, kept)
}

export interface LoggedBlobs {
  readonly blobs: BlobStore
  /** With the blobs that were whole before the write behind the n-th. */
  at(count: number): Promise<BlobStore>
}

export async function openLoggedBlobs(store: LoggedStore, before?: BlobStore): Promise<LoggedBlobs> {
  const open = () => openBlobStore({ kind: 'memory', blobBytesMax })
  const blobs = await open()
  const stored: { readonly bytes: Uint8Array; readonly writes: number }[] = []
  if (before !== undefined) {
    for await (const { digest } of before.list()) {
      const bytes = await before.readAll(digest)
      await blobs.put(digest, bytes)
      stored.push({ bytes, writes: 0 })
    }
  }
  const put: BlobStore['put'] = async (digest, bytes, options) => {
    await blobs.put(digest, bytes, options)
    stored.push({ bytes: bytes.slice(), writes: store.writes.length })
  }
  return {
    blobs: new Proxy(blobs, {
      get(target, name) {
        const value = name === 'put' ? put : Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    }),
    async at(count) {
      const left = await open()
      for (const { bytes, writes } of stored) if (writes <= count) await left.putUnknown(bytes)
      return left
    },
  }
}
