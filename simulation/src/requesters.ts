/** What is asked for: tasks of every kind, in a burst and then one by one, asked again where no answer came, cancelled at times. */
import type { Request } from '@shardy/app-orchestrator/parts'
import {
  adaptive,
  audited,
  checked,
  type MicroCredit,
  quorum,
  type RequesterId,
  type VerifyPolicy,
} from '@shardy/protocol'
import type { Asked } from './host.ts'
import type { Random } from './random.ts'
import { floatWorks, products } from './work.ts'

export const requesterIds: readonly RequesterId[] = ['a', 'b', 'c', 'd'].map(
  (digit) => digit.repeat(64) as RequesterId,
)

const hourMs = 3_600_000

function verifyOf(random: Random): VerifyPolicy {
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2:
      return checked
    case 3:
    case 4:
      return quorum(2, 2)
    case 5:
      return random.pick([quorum(3, 2), quorum(3, 3), quorum(5, 3), quorum(4, 2)])
    case 6:
      return audited(random.pick([50, 300, 1000]))
    default:
      return adaptive
  }
}

export function askSomething(random: Random, number: number): Asked {
  const isFloat = random.chance(0.12)
  const work = random.pick(isFloat ? floatWorks : products)
  const request: Request = {
    kind: work.kind,
    program: work.program,
    programId: work.programId,
    facts: work.facts,
    seed: BigInt(random.below(1_000)),
    verify: isFloat ? random.pick([quorum(2, 2), quorum(3, 2)]) : verifyOf(random),
    proof: 'none',
    isProofDefault: false,
    priority: random.below(10),
    tierMin: 0,
    features: [],
    region: random.pick(['', '', 'eu']),
    exact: work.exact,
    rewardMicroCredit: random.pick([0n, 1_000n, 1_000n, 999n]) as MicroCredit,
    timeoutMs: random.chance(0.15) ? random.between(2_000, 60_000) : 6 * hourMs,
    keepOutput: random.chance(0.8),
  }
  return { requesterId: random.pick(requesterIds), key: `key ${number}`, request, work }
}
