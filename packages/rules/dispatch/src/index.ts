export { shares, type Tally, tally } from './agreement.ts'
export type { Effect, IgnoredReason, Reference, Row, SubmitRefusal } from './effect.ts'
export { explainWaiting } from './explanation.ts'
export type { Input, NewTask } from './input.ts'
export * from './record.ts'
export { type Records, recover } from './recovery.ts'
export { SortedMap } from './sortedMap.ts'
export {
  type DispatchPolicy,
  type DispatchState,
  defaultPolicy,
  emptyState,
  nextDueMs,
  type Worker,
} from './state.ts'
export { createStep } from './step.ts'
export type { Step } from './turn.ts'
