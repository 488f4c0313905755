export { shares } from './agreement.ts'
export type { BookEffect, Effect, IgnoredReason, Offence, Payout, SubmitRefusal } from './effect.ts'
export { type Constraint, type Explanation, explainIdle, explainWaiting } from './explanation.ts'
export type { CheckVerdict, DispatchMode, Input, InputOf, NewTask, Profile, Stake } from './input.ts'
export { type DispatchPolicy, defaultPolicy } from './policy.ts'
export * from './record.ts'
export { type Records, type Recovered, recover } from './recovery.ts'
export { reputationOf } from './standing.ts'
export {
  type DispatchSettings,
  type DispatchState,
  emptyState,
  type LateAudit,
  nextDueMs,
  type Standing,
} from './state.ts'
export { step } from './step.ts'
export type { Delivery, Task } from './task.ts'
export * as trust from './trust/index.ts'
export { isCommitFirst } from './verdict.ts'
export type { Worker } from './worker.ts'
