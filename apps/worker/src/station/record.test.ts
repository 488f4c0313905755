import { expect, test } from 'bun:test'
import type { DeliveryId, MicroCredit, TaskId } from '@shardy/protocol'
import type { HistoryEntry, Totals } from '@shardy/worker'
import { createRecord } from './record.ts'

function entry(name: string): HistoryEntry {
  const rewardMicroCredit = 5n as MicroCredit
  return {
    deliveryId: name as DeliveryId,
    taskId: name as TaskId,
    summary: `the work of ${name}`,
    proof: 'none',
    atMs: 1,
    ending: { kind: 'settled', outcome: 'accepted', rewardMicroCredit },
  }
}

function totals(accepted: number): Totals {
  return { accepted, unpaid: 1, rejected: 2, cancelled: 3, rewardMicroCredit: 5n * BigInt(accepted) }
}

test('what ended sessions did comes after what the running one does, and the sums are exact', () => {
  const record = createRecord()
  record.keep({ history: [entry('b'), entry('a')], totals: totals(2) })
  record.keep({ history: [entry('c')], totals: totals(1) })
  const { entries, totals: sums } = record.with({ history: [entry('d')], totals: totals(1) })
  expect(entries.map(({ summary }) => summary)).toEqual(
    ['d', 'c', 'b', 'a'].map((name) => `the work of ${name}`),
  )
  expect(sums).toEqual({ accepted: 4, unpaid: 3, rejected: 6, cancelled: 9, rewardMicroCredit: 20n })
})

test('is the same object until the session changes', () => {
  const record = createRecord()
  const running = { history: [entry('a')], totals: totals(1) }
  const first = record.with(running)
  expect(record.with({ ...running })).toBe(first)
  expect(record.with({ ...running, history: [entry('b')] })).not.toBe(first)
  expect(record.with(undefined)).toBe(record.with(undefined))
})

test('stays bounded', () => {
  const record = createRecord()
  for (let session = 0; session < 5; session++) {
    const history = Array.from({ length: 100 }, (_, index) => entry(`${session}-${index}`))
    record.keep({ history, totals: totals(100) })
  }
  const { entries, totals: sums } = record.with(undefined)
  expect(entries).toHaveLength(200)
  expect(entries[0]?.deliveryId).toBe('4-0' as DeliveryId)
  expect(sums.accepted).toBe(500)
})
