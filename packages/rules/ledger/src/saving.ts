/** Rows out of a book (spec L18): those that changed, for a driver that saves as it goes, or all of them. */
import { decodeHex, encodeHex } from '@shardy/protocol'
import type { Guard } from './guard.ts'
import {
  escrowRowOf,
  type GuardName,
  guardKey,
  guardRow,
  isEmpty,
  partIdsMax,
  type Row,
  requesterRowOf,
  totalsOf,
  workerRowOf,
} from './row.ts'
import type { Sheet } from './sheet.ts'

/** One row for each key that changed; forgets that it did. */
export function takeChanged(sheet: Sheet): readonly Row[] {
  const { changed, requesters, workers } = sheet
  const rows: Row[] = []
  if (changed.isTotals) rows.push(totalsOf(sheet))
  for (const requester of changed.requesters) {
    requester.isChanged = false
    rows.push(requesterRowOf(requester))
    if (requester.holding.balance === 0n) requesters.delete(requester.requesterId)
  }
  for (const worker of changed.workers) {
    worker.isChanged = false
    rows.push(workerRowOf(worker))
    if (isEmpty(worker)) workers.delete(worker.workerId)
  }
  // A task may have been closed and accepted again: the last row of a key wins.
  const escrows = new Map<string, Row>()
  for (const escrow of changed.escrows) {
    if (!escrow.isOpen && !escrow.isSaved) continue
    escrow.isSaved = escrow.isOpen
    const row = escrowRowOf(escrow)
    escrows.set(row.key, row)
  }
  rows.push(...escrows.values())
  takeGuard('paid', sheet.paidGuard, rows)
  takeGuard('slashed', sheet.slashGuard, rows)
  sheet.changed.requesters = []
  sheet.changed.workers = []
  sheet.changed.escrows = []
  sheet.changed.isTotals = false
  return rows
}

function takeGuard(name: GuardName, guard: Guard, rows: Row[]): void {
  for (const bucket of guard.takeDropped()) {
    for (let part = 0; part < bucket.savedParts; part++) {
      rows.push({ key: guardKey(name, bucket, part), value: undefined })
    }
  }
  for (let index = guard.buckets.length - 1; index >= 0; index--) {
    const bucket = guard.buckets[index]
    if (bucket === undefined || bucket.savedEnd === bucket.end) return
    while (bucket.savedEnd < bucket.end) {
      const end = Math.min(bucket.end, bucket.savedEnd + partIdsMax)
      const value = guardRow.encode({ untilMs: bucket.untilMs, ids: guard.read(bucket.savedEnd, end) })
      rows.push({ key: guardKey(name, bucket, bucket.savedParts), value })
      bucket.savedEnd = end
      bucket.savedParts++
    }
  }
}

/** Whether a table row is there follows from the value alone, so books of any history compare. */
export function allRows(sheet: Sheet): readonly Row[] {
  const rows: Row[] = [totalsOf(sheet)]
  for (const requester of sheet.requesters.values()) rows.push(requesterRowOf(requester))
  for (const worker of sheet.workers.values()) rows.push(workerRowOf(worker))
  for (const escrow of sheet.escrows.values()) rows.push(escrowRowOf(escrow))
  for (const [name, guard] of [
    ['paid', sheet.paidGuard],
    ['slashed', sheet.slashGuard],
  ] as const) {
    for (const bucket of guard.buckets) {
      const ids = sortedIds(guard.read(bucket.first, bucket.end))
      for (let part = 0; part * partIdsMax < ids.length; part++) {
        const of = ids.slice(part * partIdsMax, (part + 1) * partIdsMax)
        const value = guardRow.encode({ untilMs: bucket.untilMs, ids: decodeHex(of.join('')) ?? none })
        rows.push({ key: guardKey(name, bucket, part), value })
      }
    }
  }
  return rows.filter(({ value }) => value !== undefined).sort((one, other) => (one.key < other.key ? -1 : 1))
}

const none = new Uint8Array(0)

function sortedIds(bytes: Uint8Array): readonly string[] {
  const ids: string[] = []
  for (let offset = 0; offset < bytes.length; offset += 16)
    ids.push(encodeHex(bytes.subarray(offset, offset + 16)))
  return ids.sort()
}
