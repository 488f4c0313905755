/**
 * What becomes of an answer that no second worker gives (spec D29–D31): checked always, by chance, or by how much its worker
 * has to lose. The draw is made from a secret after the answer is bound, so that no worker can know which answers are audited.
 */
import type { MicroCredit } from '@shardy/protocol'
import { standingOf } from './standing.ts'
import { type DispatchState, record } from './state.ts'
import type { Delivery, Task } from './task.ts'
import { auditDecision, drawOf, freeStake } from './trust/index.ts'

export type Alone =
  | { readonly kind: 'take' }
  | { readonly kind: 'check' }
  | { readonly kind: 'replicate'; readonly replicas: number }

export function considerAlone(state: DispatchState, task: Task, answered: Delivery): Alone {
  const { mode, auditPermille } = task.spec.verify
  if (mode === 'checked') return { kind: 'check' }
  const { deliveryId, outputDigest } = answered
  if (outputDigest === undefined) throw new Error(`delivery ${deliveryId} is answered without a digest`)
  const draw = drawOf(state.secret, deliveryId, outputDigest, state.sha256)
  if (mode === 'audited') {
    if (draw % 1000 >= auditPermille) return { kind: 'take' }
    record(state, task, 'audited', { delivery: answered, detail: `drawn: ${auditPermille} of 1000 are` })
    return { kind: 'check' }
  }
  return considerTrust(state, task, answered, draw)
}

function considerTrust(state: DispatchState, task: Task, answered: Delivery, draw: number): Alone {
  const standing = standingOf(state, answered.workerId)
  const stake = { ...standing.stake, pendingExposureMicroCredit: standing.exposureMicroCredit }
  const freeStakeMicroCredit = freeStake(stake, standing.conduct, state.atMs)
  const examination = task.spec.exact ? 'reexecution' : 'none'
  const taskValueMicroCredit = task.spec.rewardMicroCredit
  const question = { freeStakeMicroCredit, taskValueMicroCredit, examination, draw } as const
  const decision = auditDecision(question, state.policy.trust)
  if (decision.kind === 'alone') return { kind: 'take' }
  answered.exposureMicroCredit = decision.stakeMicroCredit
  standing.exposureMicroCredit = (standing.exposureMicroCredit + decision.stakeMicroCredit) as MicroCredit
  if (decision.kind === 'audit') {
    const detail = `audited against a free stake of ${freeStakeMicroCredit} micro-credits`
    record(state, task, 'audited', { delivery: answered, detail })
    return { kind: 'check' }
  }
  record(state, task, 'replicated', { delivery: answered, detail: `${decision.replicas} workers must agree` })
  return { kind: 'replicate', replicas: decision.replicas }
}
