/** The checks that every cheat is put before: each sound policy, with challenges and projections of its own. */
import type { DeliveryId, TaskId, WorkerId } from '@shardy/protocol'
import type { Binding, Challenge } from '../../src/check/challenge.ts'
import type { CheckRequest } from '../../src/check/check.ts'
import { type Projections, projectWeights } from '../../src/check/projection.ts'
import { pureTools } from '../../src/check/tools.ts'
import { sha256 } from '../sha256.ts'
import { type Attempt, strict } from './claims.ts'
import { blobs, input, noise, program } from './scene.ts'

export const tools = pureTools(sha256)

export const binding: Binding = {
  taskId: '01'.repeat(16) as TaskId,
  deliveryId: '02'.repeat(16) as DeliveryId,
  workerId: '03'.repeat(32) as WorkerId,
}

const drawn: Challenge = { kind: 'drawn', seed: noise(32, 40), after: 'commitment' }

const kept: Projections = projectWeights(program, strict.fixedWeights, blobs, noise(32, 41), tools)

const byPolicy = {
  interactive: { policy: strict.interactive, challenge: drawn },
  fixedWeights: { policy: strict.fixedWeights, challenge: drawn, projections: kept },
  public: { policy: strict.public, challenge: { kind: 'public', binding } },
} as const satisfies Readonly<Record<string, Pick<CheckRequest, 'policy' | 'challenge' | 'projections'>>>

export type StrictPolicy = keyof typeof byPolicy
export const strictPolicies = Object.keys(byPolicy) as readonly StrictPolicy[]

export function requestOf(name: StrictPolicy, { claim, commitment }: Attempt): CheckRequest {
  return { program, input, blobs, claim, commitment, ...byPolicy[name] }
}
