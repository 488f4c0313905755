import { expect, test } from 'bun:test'
import type { Constraint, Explanation } from '@shardy/dispatch'
import { decodeFrame, type WorkerId } from '@shardy/protocol'
import { createManualClock } from '../../test/manualClock.ts'
import { createIdleNotices } from './idleNotices.ts'

const because = (constraint: Constraint, text = 'words'): Explanation => ({
  constraints: [{ constraint, workers: 1 }],
  text,
})

function open(count: number) {
  const clock = createManualClock()
  const workers = new Map<WorkerId, Explanation | undefined>()
  for (let index = 0; index < count; index++) workers.set(String(index) as WorkerId, undefined)
  const told: { readonly atMs: number; readonly workerId: WorkerId; readonly constraint: string }[] = []
  const notices = createIdleNotices(
    {
      clock,
      workers: () => workers.keys(),
      workerCount: () => workers.size,
      explain: (workerId) => workers.get(workerId),
      send(workerId, bytes) {
        const frame = decodeFrame(bytes, 'orchestrator')
        if (!frame.ok || frame.value.type !== 'idle') throw new Error('not an idle frame')
        told.push({ atMs: clock.nowMs(), workerId, constraint: frame.value.body.constraint })
      },
    },
    10_000,
  )
  const pass = (ms: number) => {
    for (let at = 0; at < ms; at += 250) clock.advance(250)
  }
  return { workers, told, notices, pass }
}

const one = '0' as WorkerId

test('a worker is told when the constraint changes, and not more often than the interval', () => {
  const { workers, told, pass } = open(1)
  pass(5_000)
  expect(told).toEqual([])
  for (let change = 0; change < 100; change++) {
    workers.set(one, because(change % 2 ? 'noTaskWaits' : 'tierTooLow'))
    pass(1_000)
  }
  expect(told.length).toBeWithin(5, 11)
  for (const [index, { atMs }] of told.entries()) {
    expect(atMs - (told[index - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(10_000)
  }
  const before = told.length
  pass(60_000)
  expect(told.length).toBeLessThanOrEqual(before + 1)
})

test('the same constraint with other numbers is not told again, and after work it is', () => {
  const { workers, told, pass } = open(1)
  for (let waiting = 1; waiting < 50; waiting++) {
    workers.set(one, because('tierTooLow', `${waiting} tasks wait`))
    pass(1_000)
  }
  expect(told.length).toBe(1)
  workers.set(one, undefined)
  pass(1_000)
  workers.set(one, because('tierTooLow'))
  pass(1_000)
  expect(told.length).toBe(2)
})

test('among ten thousand everybody is looked at within about the interval', () => {
  const { workers, told, pass } = open(10_000)
  for (const id of workers.keys()) workers.set(id, because('noTaskWaits', 'ünprintable\n'.repeat(90)))
  pass(11_000)
  expect(new Set(told.map(({ workerId }) => workerId)).size).toBe(10_000)
  expect(told.length).toBe(10_000)
})

test('nobody is told after it is closed', () => {
  const { workers, told, notices, pass } = open(1)
  notices.close()
  workers.set(one, because('noTaskWaits'))
  pass(10_000)
  expect(told).toEqual([])
})
