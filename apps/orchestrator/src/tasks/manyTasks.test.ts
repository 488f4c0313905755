/** What one commit writes when it is more than a store takes at once: what the book is told never comes before its task. */
import { expect, test } from 'bun:test'
import { sha256 } from '@shardy/crypto/native'
import { type DispatchSettings, defaultPolicy, recover, type TaskRecord } from '@shardy/dispatch'
import type {
  DeliveryId,
  Digest,
  MicroCredit,
  ProgramId,
  RequesterId,
  TaskId,
  TimeMs,
  WorkerId,
} from '@shardy/protocol'
import { checked } from '@shardy/protocol'
import { createManualClock } from '../../test/manualClock.ts'
import { type Changes, createDispatcher } from './dispatcher.ts'

const id = (index: number, digits: number): string => index.toString(16).padStart(digits, '0')

/** Its only delivery was lost, which the process did not live to conclude anything from. */
function lastChance(index: number, programBytes: number): TaskRecord {
  const nowMs = 1_000_000 as TimeMs
  return {
    spec: {
      taskId: id(index, 32) as TaskId,
      requesterId: id(1, 64) as RequesterId,
      requestDigest: id(2, 64) as Digest,
      kind: 'program',
      program: new Uint8Array(programBytes),
      programId: id(3, 64) as ProgramId,
      seed: 0n,
      complexity: 1,
      inputDigest: id(4, 64) as Digest,
      inputLength: 1,
      outputLength: 1,
      constants: [],
      constantBytes: 0,
      memoryBytes: 0,
      verify: checked,
      proof: 'none',
      exact: true,
      priority: 5,
      tierMin: 0,
      features: [],
      region: '',
      rewardMicroCredit: 7n as MicroCredit,
      keepOutput: true,
      submittedAtMs: nowMs,
      deadlineMs: (nowMs + 600_000) as TimeMs,
      campaignId: undefined,
      campaignItem: 0,
    },
    status: 'running',
    revivals: 0,
    deliveries: [
      {
        deliveryId: id(index, 32) as DeliveryId,
        workerId: id(5, 64) as WorkerId,
        state: 'settled',
        leasedAtMs: nowMs,
        deadlineMs: nowMs,
        dueMs: nowMs,
        commitment: undefined,
        outputDigest: undefined,
        traceRoot: undefined,
        answer: undefined,
        outcome: 'lost',
        rewardMicroCredit: 0n as MicroCredit,
        excused: false,
        operator: '',
        hardwareClass: '',
        answeredAtMs: undefined,
        proof: undefined,
        block: undefined,
      },
    ],
    failures: 0,
    attemptsSpent: 0,
    notBeforeMs: nowMs,
    deadlineMs: (nowMs + 600_000) as TimeMs,
    mismatched: false,
    decidedAtMs: undefined,
    outputDigest: undefined,
    deadReason: undefined,
    basis: undefined,
    checkedBy: undefined,
    history: [],
  }
}

async function commitAll(count: number, programBytes: number): Promise<readonly Changes[]> {
  const policy = { ...defaultPolicy, attemptsMax: 1 }
  const settings: DispatchSettings = { policy, sha256, epoch: 2, secret: new Uint8Array(32) }
  const tasks = Array.from({ length: count }, (_, index) => lastChance(index + 1, programBytes))
  const recovered = recover(
    settings,
    { tasks, standings: [], stakes: new Map(), lateAudits: [], mode: 'running' },
    1_000_500 as TimeMs,
  )
  const saved: Changes[] = []
  const failures: unknown[] = []
  const dispatcher = createDispatcher(
    {
      clock: createManualClock(1_000_500),
      save: async (changes) => void saved.push(changes),
      begin: () => undefined,
      perform: () => {},
      fatal: (error) => failures.push(error),
    },
    recovered,
  )
  await dispatcher.close()
  expect(failures).toEqual([])
  return saved
}

test.each([
  ['too many tasks', 20_000, 10],
  ['too many bytes', 1_500, 60_000],
])(
  '%s for one write: each write has tasks with all that the book is told of them',
  async (_, count, programBytes) => {
    const saved = await commitAll(count, programBytes)
    expect(saved.length).toBeGreaterThan(1)
    const told = new Set<TaskId>()
    for (const { tasks, entries, published } of saved) {
      const own = new Set(tasks.map(({ spec }) => spec.taskId))
      expect(tasks.reduce((sum, { spec }) => sum + spec.program.length, 0)).toBeLessThan(64 * 1024 * 1024)
      for (const entry of entries) {
        if (entry.kind === 'slash') continue
        expect(own.has(entry.taskId)).toBe(true)
        expect(told.has(entry.taskId)).toBe(false)
        told.add(entry.taskId)
      }
      for (const { task } of published) expect(own.has(task.spec.taskId)).toBe(true)
    }
    expect(told.size).toBe(count)
  },
)
