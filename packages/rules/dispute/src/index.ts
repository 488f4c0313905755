export type { Effect, IgnoredReason, OpenRefusal, RevealFlaw } from './effect.ts'
export { type Claim, type Evidence, evidence, type ShownLeaf } from './evidence.ts'
export {
  type CheckedEvidence,
  checkEvidence,
  type EvidenceProblem,
  type EvidenceTools,
} from './evidenceCheck.ts'
export type { Input } from './input.ts'
export type { NodeOutline, Outline, ProgramOutline } from './outline.ts'
export type { Party, PartyRefusal, ProgramRefusal } from './party.ts'
export type { Question } from './question.ts'
export * from './record.ts'
export { recover } from './recovery.ts'
export {
  type DisputePolicy,
  type DisputeState,
  type DisputeTools,
  defaultPolicy,
  emptyState,
  nextDueMs,
} from './state.ts'
export { createStep } from './step.ts'
export type { Step } from './turn.ts'
