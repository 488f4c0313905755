/**
 * One commit: records, standings, offences and what the book is told go to the disk in one synced batch, all or nothing. The book
 * hears of it only once it is there.
 */

import type { Store } from '@shardy/storage'
import type { Bookkeeper } from '../book/bookkeeper.ts'
import type { Clock } from '../clock.ts'
import type { Table } from '../tables.ts'
import type { Archive } from './archive.ts'
import type { Changes } from './dispatcher.ts'
import { offenceOperation } from './offences.ts'

export interface CommitParts {
  readonly store: Store<Table>
  readonly clock: Clock
  readonly archive: Pick<Archive, 'operations'>
  readonly bookkeeper: Pick<Bookkeeper, 'post' | 'entryOf'>
}

export function createCommit({ store, clock, archive, bookkeeper }: CommitParts) {
  return async function commit(changes: Changes): Promise<void> {
    const operations = archive.operations(changes)
    for (const offence of changes.offences) operations.push(offenceOperation(offence, clock.nowMs()))
    const posting =
      changes.entries.length > 0 ? bookkeeper.post(changes.entries.map(bookkeeper.entryOf)) : undefined
    if (posting !== undefined) operations.push(...posting.operations)
    if (operations.length > 0) await store.write(operations, { sync: true })
    posting?.committed()
  }
}
