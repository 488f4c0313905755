/** For tests: a task as the API shows it. */
import type { TaskView } from '../src/shapes.ts'

export function sampleView(changes: Partial<TaskView> = {}): TaskView {
  return {
    taskId: '0abc'.padStart(32, '0'),
    kind: 'program',
    program: 'matrix product 3 × 5 · 5 × 2',
    programId: '11'.repeat(32),
    seed: '0',
    input: { digest: '22'.repeat(32), length: 25 },
    verify: 'quorum(2,2)',
    proof: 'none',
    proofSays: 'no zero-knowledge proof was asked for',
    priority: 5,
    rewardMicroCredit: '1000',
    output: 'keep',
    status: 'waiting',
    waitingFor: 'needs 2 more workers; no worker is connected',
    submittedAtMs: 1_760_000_000_000,
    deadlineMs: 1_760_000_600_000,
    outputLength: 24,
    deliveries: [],
    ...changes,
  }
}
