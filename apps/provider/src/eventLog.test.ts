import { expect, test } from 'bun:test'
import type { DeliveryId, MicroCredit, OrchestratorId, SessionId, TaskId } from '@shardy/protocol'
import type { WorkerEvent } from '@shardy/worker'
import { createEventLog } from './eventLog.ts'

const about = { deliveryId: 'd1'.repeat(16) as DeliveryId, taskId: '7a5c'.repeat(8) as TaskId }

test('a session reads as lines', () => {
  const lines: string[] = []
  let nowMs = 0
  const after = () => {}
  const log = createEventLog(
    { print: (line) => lines.push(line), nowMs: () => nowMs, after },
    'http://here:1',
  )
  const events: WorkerEvent[] = [
    { kind: 'connecting', attempt: 1 },
    { kind: 'lost', reason: { kind: 'handshakeTimeout' }, retryMs: 1_200 },
    {
      kind: 'admitted',
      sessionId: '5e'.repeat(16) as SessionId,
      orchestratorId: '0c4e57a7'.repeat(8) as OrchestratorId,
    },
    { kind: 'benchmark', phase: 'running' },
    { kind: 'benchmark', phase: 'answered' },
    { kind: 'measured', tier: 2, operationsPerSecond: 3_000_000_000, text: 'fast enough for tier 2' },
    { kind: 'idle', constraint: 'paysTooLittle', text: 'nothing that waits pays what you ask' },
    { ...about, kind: 'executing', summary: 'matrix product 1 × 1 · 1 × 1' },
    { ...about, kind: 'answered' },
    { ...about, kind: 'settled', outcome: 'accepted', rewardMicroCredit: 1_500n as MicroCredit },
    { ...about, kind: 'executing', summary: 'matrix product 1 × 1 · 1 × 1' },
    { ...about, kind: 'committed' },
    { ...about, kind: 'answered' },
    { ...about, kind: 'settled', outcome: 'accepted', rewardMicroCredit: 500n as MicroCredit },
    { ...about, kind: 'settled', outcome: 'disagreed', rewardMicroCredit: 0n as MicroCredit },
    { ...about, kind: 'rejected', reason: 'busy', text: 'all 2 slots are taken' },
    { ...about, kind: 'cancelled', reason: 'taskDecided' },
    { kind: 'stopped', reason: { kind: 'asked' } },
  ]
  for (const event of events) {
    log(event)
    nowMs += 12
  }
  expect(lines).toEqual([
    'Connecting to http://here:1',
    'Not connected: the orchestrator did not admit this worker in time; trying again in 1200 ms',
    'Admitted by orchestrator 0c4e57a7, waiting for work',
    'Measured by the orchestrator: fast enough for tier 2',
    'No work: nothing that waits pays what you ask (paysTooLittle)',
    'Task 7a5c7a5c: answered in 12 ms',
    'Task 7a5c7a5c: accepted, +0.0015 test credits, 0.0015 since the start',
    'Task 7a5c7a5c: computed in 12 ms and committed',
    'Task 7a5c7a5c: answered',
    'Task 7a5c7a5c: accepted, +0.0005 test credits, 0.002 since the start',
    'Task 7a5c7a5c: disagreed, not paid',
    'Task 7a5c7a5c: handed back, busy (all 2 slots are taken)',
    'Task 7a5c7a5c: cancelled (taskDecided)',
    'Stopped: stopped as asked',
  ])
})

test('small tasks are told of with their verdicts, every few seconds, and at the end', () => {
  const lines: string[] = []
  let nowMs = 0
  let timer: { readonly atMs: number; readonly run: () => void } | undefined
  const after = (ms: number, run: () => void): void => {
    timer = { atMs: nowMs + ms, run }
  }
  const print = (line: string) => lines.push(`${nowMs} ${line}`)
  const log = createEventLog({ print, nowMs: () => nowMs, after }, 'http://here:1')
  function wait(ms: number): void {
    nowMs += ms
    if (timer === undefined || timer.atMs > nowMs) return
    const { run } = timer
    timer = undefined
    run()
  }
  for (let second = 0; second < 8; second++) {
    log({ kind: 'smallAnswered', count: 100 })
    log({ kind: 'smallSettled', accepted: 90, unpaid: 10, rewardMicroCredit: 1_000n })
    wait(1_000)
  }
  wait(60_000)
  log({ kind: 'smallRejected', count: 3, reason: 'busy', text: 'full' })
  log({ kind: 'smallAnswered', count: 1 })
  log({ kind: 'stopped', reason: { kind: 'asked' } })
  wait(60_000)
  expect(lines).toEqual([
    '1000 Small tasks: 100 answered, 90 accepted, 10 not paid, +0.001 test credits, 0.001 since the start',
    '6000 Small tasks: 500 answered, 450 accepted, 50 not paid, +0.005 test credits, 0.006 since the start',
    '68000 Small tasks: 200 answered, 180 accepted, 20 not paid, +0.002 test credits, 0.008 since the start',
    '68000 Small tasks: 3 handed back, busy (full)',
    '68000 Small tasks: 1 answered, 0 accepted, +0 test credits, 0.008 since the start',
    '68000 Stopped: stopped as asked',
  ])
})
