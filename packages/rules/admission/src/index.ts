export type { Candidate, Measurement, Phase, Reason, Shared } from './candidate.ts'
export type { Effect } from './effect.ts'
export type { Input, InputOf, Likeness, Verdict } from './input.ts'
export {
  type AdmissionPolicy,
  type AdmissionPolicyFault,
  checkedAdmissionPolicy,
  defaultAdmissionPolicy,
  type TierBound,
} from './policy.ts'
export { type AdmissionSettings, type AdmissionState, type ChainPlan, emptyState } from './state.ts'
export { nextDueMs, step } from './step.ts'
export { type ChainKind, type Tiered, tierOf } from './tier.ts'
