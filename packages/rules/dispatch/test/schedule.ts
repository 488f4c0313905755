/** What a simulated network is asked for, and under which policy, drawn from its seed. */
import {
  adaptive,
  audited,
  checked,
  type DurationMs,
  type MicroCredit,
  quorum,
  type TimeMs,
  type VerifyPolicy,
} from '@shardy/protocol'
import { type DispatchPolicy, defaultPolicy, type NewTask } from '../src/index.ts'
import { requesterIdOf } from './identity.ts'
import type { Random } from './random.ts'
import { newTask } from './scene.ts'

export function drawPolicy(random: Random): DispatchPolicy {
  return {
    ...defaultPolicy,
    attemptsMax: 4 + random.below(28),
    liveTasksMax: 8 + random.below(20),
    leaseMsMin: (4_000 + random.below(15_000)) as DurationMs,
    revealMs: (1_000 + random.below(5_000)) as DurationMs,
  }
}

export function drawTask(random: Random, name: string, nowMs: number): NewTask {
  const n = 2 + random.below(4)
  const verify: VerifyPolicy = random.pick([
    checked,
    checked,
    audited(300),
    adaptive,
    quorum(2, 2),
    quorum(3, 2),
    quorum(n, n),
  ])
  return newTask(name, {
    requesterId: requesterIdOf(random.pick(['rita', 'sam'])),
    verify,
    exact: (verify.mode !== 'quorum' && verify.mode !== 'adaptive') || random.chance(0.8),
    priority: random.below(10),
    tierMin: random.chance(0.2) ? random.below(4) : 0,
    rewardMicroCredit: BigInt(random.below(1_000)) as MicroCredit,
    complexity: random.below(5_000_000),
    outputLength: random.chance(0.2) ? 50_000 : 400,
    keepOutput: random.chance(0.5),
    deadlineMs: (nowMs + (random.chance(0.2) ? 30_000 : 86_400_000)) as TimeMs,
  })
}
