/**
 * What becomes of an answer that no second worker gives (spec D29–D31): checked always, by chance, or by how much its worker
 * has to lose. The draw is made from a secret after the answer is bound, so that no worker can know which answers are audited.
 */
import type { MicroCredit } from '@shardy/protocol'
import { standingOf } from './standing.ts'
import { type DispatchState, record, saveTask } from './state.ts'
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
  // It was drawn before a restart: what its worker has to lose now changes nothing about that.
  const wasDrawn = task.history.some(
    ({ type, attempt }) => type === 'audited' && attempt === answered.index + 1,
  )
  if (wasDrawn) {
    if (mode === 'adaptive')
      expose(state, answered, freeStakeOf(state, answered) / BigInt(state.policy.trust.stakeParts))
    return { kind: 'check' }
  }
  const draw = drawOf(state.secret, deliveryId, outputDigest, state.sha256)
  if (mode === 'audited') {
    if (draw % 1000 >= auditPermille) return { kind: 'take' }
    note(state, task, answered, 'audited', `drawn: ${auditPermille} of 1000 are`)
    return { kind: 'check' }
  }
  return considerTrust(state, task, answered, draw)
}

function considerTrust(state: DispatchState, task: Task, answered: Delivery, draw: number): Alone {
  const freeStakeMicroCredit = freeStakeOf(state, answered)
  const examination = task.spec.exact ? 'reexecution' : 'none'
  const taskValueMicroCredit = task.spec.rewardMicroCredit
  const question = { freeStakeMicroCredit, taskValueMicroCredit, examination, draw } as const
  const decision = auditDecision(question, state.policy.trust)
  if (decision.kind === 'alone') return { kind: 'take' }
  expose(state, answered, decision.stakeMicroCredit)
  if (decision.kind === 'audit') {
    const detail = `audited against a free stake of ${freeStakeMicroCredit} micro-credits`
    note(state, task, answered, 'audited', detail)
    return { kind: 'check' }
  }
  note(state, task, answered, 'replicated', `${decision.replicas} workers must agree`)
  return { kind: 'replicate', replicas: decision.replicas }
}

/** As durable as taking the answer would have been: a restart must not lose what was drawn, and let it be drawn anew. */
function note(
  state: DispatchState,
  task: Task,
  delivery: Delivery,
  type: 'audited' | 'replicated',
  detail: string,
): void {
  record(state, task, type, { delivery, detail })
  saveTask(state, task, 'now')
}

function freeStakeOf(state: DispatchState, { workerId }: Delivery): MicroCredit {
  const { stake, exposureMicroCredit, conduct } = standingOf(state, workerId)
  return freeStake({ ...stake, pendingExposureMicroCredit: exposureMicroCredit }, conduct, state.atMs)
}

/** At risk until the audit is decided. */
function expose(state: DispatchState, answered: Delivery, stakeMicroCredit: bigint): void {
  const standing = standingOf(state, answered.workerId)
  answered.exposureMicroCredit = stakeMicroCredit as MicroCredit
  standing.exposureMicroCredit = (standing.exposureMicroCredit + stakeMicroCredit) as MicroCredit
}
