import { describe, expect, test } from 'bun:test'
import type { TimeMs } from '@shardy/protocol'
import { sha256 } from '../test/identity.ts'
import { liveTask } from '../test/liveTask.ts'
import { profile, startMs } from '../test/scene.ts'
import type { NewTask, Profile } from './index.ts'
import { backoffMs, deliveryIdOf, estimateMs, leaseEndMs, revealEndMs } from './lease.ts'
import { defaultPolicy as policy } from './policy.ts'
import type { Task } from './task.ts'
import { newWorker, remember, setPresence, type Worker } from './worker.ts'

const worker = (about: Partial<Profile>): Worker => {
  const { workerId, publicKey } = { workerId: 'w', publicKey: new Uint8Array(65) } as unknown as Worker
  return newWorker(workerId, publicKey, { ...profile, ...about }, { quarantined: false, failing: false })
}
const small = { inputLength: 0, outputLength: 0, constantBytes: 0 }
const task = (about: Partial<NewTask>): Task => liveTask('t', { ...small, ...about })
const leaseMs = (asked: Task, by: Worker): number =>
  leaseEndMs(startMs, asked, by, estimateMs(asked.spec, by, policy), policy) - startMs

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
    { desc: 'counts what waits there already', complexity: 1_000_000_000, busyMs: 5_000, expected: 60_000 },
    {
      desc: 'leaves time to prove a block',
      proof: 'v3' as const,
      complexity: 1_000_000_000,
      expected: 60_000,
    },
    { desc: 'leaves none for a proof that is made with the answer', proof: 'v2' as const, expected: 15_000 },
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
    busyMs = 0,
    operationsPerSecond = 100_000_000,
    leftMs = 1e9,
    ...about
  } of table) {
    test(desc, () => {
      const deadlineMs = (startMs + leftMs) as TimeMs
      const slow = worker({ operationsPerSecond })
      slow.busyMs = busyMs
      expect(leaseMs(task({ complexity: 0, ...about, deadlineMs }), slow)).toBe(expected)
    })
  }

  test('is longer in a hidden tab, and shorter where the constants are at hand', () => {
    const about = { complexity: 1_000_000_000, constantBytes: 10_000_000, deadlineMs: 1e12 as TimeMs }
    const by = worker({ operationsPerSecond: 100_000_000, hiddenPermille: 500 })
    expect(leaseMs(task(about), by)).toBe(80_000)
    setPresence(by, 'hidden')
    expect(leaseMs(task(about), by)).toBe(120_000)
    remember(by, task(about).spec.programId)
    expect(leaseMs(task(about), by)).toBe(80_000)
  })

  test("ends with the task's time", () => {
    const deadlineMs = (startMs + 2_000) as TimeMs
    expect(leaseMs(task({ deadlineMs }), worker({}))).toBe(2_000)
  })
})

describe('the time to reveal', () => {
  const table = [
    { desc: 'is as the policy says', keepOutput: true, outputLength: 0, expected: 15_000 },
    { desc: 'leaves time to send the output', keepOutput: true, outputLength: 64_000_000, expected: 271_000 },
    { desc: 'leaves none when it stays', keepOutput: false, outputLength: 64_000_000, expected: 15_000 },
    {
      desc: 'leaves time for an audit, which needs the output',
      keepOutput: false,
      outputLength: 64_000_000,
      proof: 'v3' as const,
      expected: 291_000,
    },
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
      const pauseMs = backoffMs({ ...task({}), failures }, policy, sha256)
      expect(pauseMs).toBeGreaterThanOrEqual(base)
      expect(pauseMs).toBeLessThanOrEqual(base * 1.5)
      expect(Number.isSafeInteger(pauseMs)).toBe(true)
    }
  })

  test('is the same for the same failure of the same task, and differs between tasks', () => {
    const pause = (name: string): number => backoffMs({ ...liveTask(name), failures: 9 }, policy, sha256)
    expect(pause('t')).toBe(pause('t'))
    const pauses = new Set(Array.from({ length: 50 }, (_, index) => pause(`task ${index}`)))
    expect(pauses.size).toBeGreaterThan(40)
  })
})

test('delivery ids follow from task, its time, attempt and epoch, and never repeat', () => {
  const ids = new Set<string>()
  for (const name of ['t', 'u', 'v']) {
    const asked = liveTask(name)
    for (let attempt = 0; attempt < 64; attempt++) {
      for (const submittedAtMs of [startMs, (startMs + 1) as TimeMs]) {
        for (const epoch of [1, 2]) {
          const submitted = { ...asked, spec: { ...asked.spec, submittedAtMs } }
          const deliveryId = deliveryIdOf(submitted, attempt, epoch, sha256)
          expect(deliveryId).toMatch(/^[0-9a-f]{32}$/)
          expect(deliveryIdOf(submitted, attempt, epoch, sha256)).toBe(deliveryId)
          ids.add(deliveryId)
        }
      }
    }
  }
  expect(ids.size).toBe(3 * 64 * 2 * 2)
})
