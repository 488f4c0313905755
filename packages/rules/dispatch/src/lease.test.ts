import { describe, expect, test } from 'bun:test'
import type { TimeMs } from '@shardy/protocol'
import { sha256, taskIdOf } from '../test/identity.ts'
import { newTask, startMs } from '../test/scene.ts'
import { backoffMs, deliveryIdOf, leaseEndMs, revealEndMs } from './lease.ts'
import type { TaskRecord } from './record.ts'
import { type DispatchPolicy, defaultPolicy, type Worker } from './state.ts'

const policy: DispatchPolicy = defaultPolicy
const worker = (about: Partial<Worker>): Worker =>
  ({ operationsPerSecond: 100_000_000, slots: 1, ...about }) as Worker
const task = (about: Partial<TaskRecord>): TaskRecord =>
  ({
    ...newTask('t'),
    submittedAtMs: startMs,
    failures: 0,
    inputLength: 0,
    outputLength: 0,
    constantBytes: 0,
    ...about,
  }) as TaskRecord

describe('a lease', () => {
  const table = [
    { desc: 'is never shorter than the least', complexity: 1, expected: 15_000 },
    { desc: 'is a multiple of the time to compute', complexity: 1_000_000_000, expected: 40_000 },
    {
      desc: 'counts the time on the line',
      inputLength: 5_000_000,
      outputLength: 5_000_000,
      expected: 40_000,
    },
    {
      desc: 'counts the constants, which a worker may have to fetch',
      constantBytes: 10_000_000,
      expected: 40_000,
    },
    { desc: 'is longer where slots share the rate', complexity: 1_000_000_000, slots: 4, expected: 160_000 },
    { desc: 'is never longer than the most', complexity: Number.MAX_SAFE_INTEGER, expected: 3_600_000 },
    {
      desc: 'takes no claim below the floor',
      complexity: 100_000_000,
      operationsPerSecond: 1,
      expected: 40_000,
    },
    { desc: 'is at most a quarter of the time left', complexity: 1e15, leftMs: 400_000, expected: 100_000 },
    { desc: 'is not cut below the least', complexity: 1e15, leftMs: 40_000, expected: 15_000 },
  ]
  for (const {
    desc,
    expected,
    slots = 1,
    operationsPerSecond = 100_000_000,
    leftMs = 1e9,
    ...about
  } of table) {
    test(desc, () => {
      const deadlineMs = (startMs + leftMs) as TimeMs
      const end = leaseEndMs(
        startMs,
        task({ complexity: 0, ...about, deadlineMs }),
        worker({ slots, operationsPerSecond }),
        policy,
      )
      expect(end - startMs).toBe(expected)
    })
  }

  test("ends with the task's time", () => {
    const deadlineMs = (startMs + 2_000) as TimeMs
    expect(leaseEndMs(startMs, task({ deadlineMs }), worker({}), policy)).toBe(deadlineMs)
  })
})

describe('the time to reveal', () => {
  const table = [
    { desc: 'is as the policy says', keepOutput: true, outputLength: 0, expected: 15_000 },
    { desc: 'leaves time to send the output', keepOutput: true, outputLength: 64_000_000, expected: 271_000 },
    { desc: 'leaves none when it stays', keepOutput: false, outputLength: 64_000_000, expected: 15_000 },
    { desc: 'is bounded', keepOutput: true, outputLength: 64_000_000_000, expected: 3_600_000 },
  ]
  for (const { desc, expected, ...about } of table) {
    test(desc, () => {
      const deadlineMs = (startMs + 1e9) as TimeMs
      expect(revealEndMs(startMs, task({ ...about, deadlineMs }), policy) - startMs).toBe(expected)
    })
  }

  test("ends with the task's time", () => {
    const deadlineMs = (startMs + 2_000) as TimeMs
    expect(revealEndMs(startMs, task({ deadlineMs }), policy)).toBe(deadlineMs)
  })
})

describe('the pause after a failure', () => {
  test('doubles, with up to half of it again, and is bounded', () => {
    for (let failures = 1; failures <= 64; failures++) {
      const base = Math.min(200 * 2 ** (failures - 1), 30_000)
      const pauseMs = backoffMs(task({ failures }), policy, sha256)
      expect(pauseMs).toBeGreaterThanOrEqual(base)
      expect(pauseMs).toBeLessThanOrEqual(base * 1.5)
      expect(Number.isSafeInteger(pauseMs)).toBe(true)
    }
  })

  test('is the same for the same failure of the same task, and differs between tasks', () => {
    const pause = (name: string): number =>
      backoffMs(task({ taskId: taskIdOf(name), failures: 9 }), policy, sha256)
    expect(pause('t')).toBe(pause('t'))
    const pauses = new Set(Array.from({ length: 50 }, (_, index) => pause(`task ${index}`)))
    expect(pauses.size).toBeGreaterThan(40)
  })
})

test('delivery ids follow from task, its time and attempt, and never repeat', () => {
  const ids = new Set<string>()
  for (const name of ['t', 'u', 'v']) {
    for (let attempt = 0; attempt < 64; attempt++) {
      for (const submittedAtMs of [startMs, (startMs + 1) as TimeMs]) {
        const submitted = { taskId: taskIdOf(name), submittedAtMs }
        const deliveryId = deliveryIdOf(submitted, attempt, sha256)
        expect(deliveryId).toMatch(/^[0-9a-f]{32}$/)
        expect(deliveryIdOf(submitted, attempt, sha256)).toBe(deliveryId)
        ids.add(deliveryId)
      }
    }
  }
  expect(ids.size).toBe(3 * 64 * 2)
})
