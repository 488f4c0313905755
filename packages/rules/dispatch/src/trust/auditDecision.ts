/**
 * What becomes of a result under `adaptive` (spec A4, A10–A13). Asked once, when worker and result are bound to each
 * other for good; what it answers may be seen by nobody before that is on disk.
 */
import type { MicroCredit } from '@shardy/protocol'
import { auditThreshold } from './auditProbability.ts'
import type { TrustPolicy } from './policy.ts'

/**
 * How a result can be examined: the orchestrator checks or re-executes it; only other workers can compute it, and the
 * same bits are right for all; or nothing shows who is wrong, as with floats.
 */
export type Examination = 'reexecution' | 'exactReplicas' | 'none'

export interface AuditQuestion {
  /** From `freeStake`: 0 in quarantine. */
  readonly freeStakeMicroCredit: MicroCredit
  readonly taskValueMicroCredit: MicroCredit
  readonly examination: Examination
  /** From `drawOf`. */
  readonly draw: number
}

/** `stakeMicroCredit` counts as pending exposure until the audit is decided. */
export type AuditDecision =
  | { readonly kind: 'alone' }
  | { readonly kind: 'audit'; readonly stakeMicroCredit: MicroCredit }
  | { readonly kind: 'replicate'; readonly replicas: number; readonly stakeMicroCredit: MicroCredit }

const alone: AuditDecision = { kind: 'alone' }

export function auditDecision(question: AuditQuestion, policy: TrustPolicy): AuditDecision {
  const { examination, draw } = question
  if (examination === 'none') {
    return { kind: 'replicate', replicas: policy.replicas, stakeMicroCredit: 0n as MicroCredit }
  }
  const stakeMicroCredit = (question.freeStakeMicroCredit / BigInt(policy.stakeParts)) as MicroCredit
  if (draw >= auditThreshold(question.taskValueMicroCredit, stakeMicroCredit, policy)) return alone
  if (examination === 'exactReplicas') {
    return { kind: 'replicate', replicas: policy.replicas, stakeMicroCredit }
  }
  return { kind: 'audit', stakeMicroCredit }
}
