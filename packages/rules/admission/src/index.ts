export type { Candidate, Phase } from './candidate.ts'
export type { Effect } from './effect.ts'
export type { Input, InputOf, Verdict } from './input.ts'
export type { Likeness, Presence } from './likeness.ts'
export type { Measurement, Reason, Shared } from './measurement.ts'
export type { ChainPlan } from './plan.ts'
export {
  type AdmissionPolicy,
  type AdmissionPolicyFault,
  checkedAdmissionPolicy,
  defaultAdmissionPolicy,
  type TierBound,
} from './policy.ts'
export { type AdmissionSettings, type AdmissionState, emptyState } from './state.ts'
export { nextDueMs, step } from './step.ts'
export { type ChainKind, type Tiered, tierOf } from './tier.ts'
