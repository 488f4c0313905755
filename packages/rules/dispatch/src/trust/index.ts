export {
  type AuditDecision,
  type AuditQuestion,
  auditDecision,
  type Examination,
} from './auditDecision.ts'
export { auditProbability, auditThreshold, drawValues } from './auditProbability.ts'
export {
  afterBenchmark,
  afterCleanAudit,
  afterOffence,
  type Conduct,
  type Consequence,
  type Conviction,
  isQuarantined,
  spotlessConduct,
} from './conduct.ts'
export { drawOf } from './draw.ts'
export {
  type Offence,
  type OffenceFault,
  offenceFault,
  offender,
  type Reexecution,
  type SignedStatement,
  signedStatements,
} from './offence.ts'
export { checkedTrustPolicy, defaultTrustPolicy, type TrustPolicy, type TrustPolicyFault } from './policy.ts'
export {
  afterOutcome,
  newReputation,
  type Reputation,
  type ReputationOutcome,
  score,
} from './reputation.ts'
export { freeStake, heldStake, type Stake, withdrawableStake } from './stake.ts'
