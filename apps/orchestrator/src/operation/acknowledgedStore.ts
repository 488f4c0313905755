/**
 * A store whose synced writes resolve once a standby has them too, from the moment when it serves. Without a standby they wait:
 * what is waited for is on disk here, and nothing is promised until it is elsewhere as well.
 */
import { type Store, StoreError } from '@shardy/storage'
import type { Log } from '../log.ts'
import { numberKey, type Table } from '../tables.ts'

export interface AcknowledgedStore extends Store<Table> {
  /** Before this, nobody is served and no standby can come. */
  begin(): void
}

/** Written to ask again whether a standby has everything: it comes behind what is waited for. */
const askKey = new TextEncoder().encode('acknowledgement')

export function acknowledgedStore(store: Store<Table>, log: Log): AcknowledgedStore {
  let isServing = false
  let asked = 0
  /** Whoever waits shares one question. */
  let asking: Promise<void> | undefined

  async function ask(): Promise<void> {
    for (;;) {
      log.sampled('waitsForStandby')
      try {
        const value = numberKey(++asked)
        return await store.write([{ kind: 'put', table: 'counters', key: askKey, value }], {
          sync: 'acknowledged',
        })
      } catch (error) {
        if (!isUnacknowledged(error)) throw error
      }
    }
  }

  return {
    get: (table, key) => store.get(table, key),
    getMany: (table, keys) => store.getMany(table, keys),
    iterate: (table, range) => store.iterate(table, range),
    snapshot: () => store.snapshot(),
    close: () => store.close(),
    async write(batch, { sync }) {
      if (!isServing || sync === false) return store.write(batch, { sync })
      try {
        await store.write(batch, { sync: 'acknowledged' })
      } catch (error) {
        if (!isUnacknowledged(error)) throw error
        asking ??= ask().finally(() => {
          asking = undefined
        })
        await asking
      }
    },
    begin() {
      isServing = true
    },
  }
}

const isUnacknowledged = (error: unknown): boolean =>
  error instanceof StoreError && error.kind === 'unacknowledged'
