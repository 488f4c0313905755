export {
  ApiError,
  type AuditBreak,
  type AuditHead,
  type AuditPage,
  type AuditView,
  auditToJson,
  type BalanceView,
  type CampaignEventView,
  type CampaignPage,
  type CampaignView,
  type DeadLetter,
  type DispatchOrder,
  type DispatchView,
  dispatchOrders,
  type ErrorCode,
  type EventView,
  type FollowCampaignOptions,
  type FollowEventsOptions,
  type Health,
  type ItemResultView,
  type KeyOrder,
  type KeyView,
  type ManifestJson,
  type NewKey,
  type OffenceEvidence,
  type PolicyRules,
  type PolicyView,
  type Problem,
  type QuoteView,
  type Role,
  receiptFromJson,
  receiptToJson,
  roles,
  type Scope,
  type StreamEventType,
  type StreamEventView,
  type Submission,
  scopes,
  streamEventTypes,
  type TaskPage,
  type TaskView,
  UnexpectedAnswerError,
  UnreachableError,
  type WebhookPage,
  type WorkerOrder,
  type WorkersView,
  type WorkerView,
} from '@shardy/api'
export {
  type AnswerCheck,
  type AnswerCheckAdapters,
  type AnswerVerdict,
  checkAnswer,
  checkDigest,
  type DigestCheck,
  whyUncheckable,
} from './answer.ts'
export type { Campaigns, CreateCampaignOptions, ResultsOptions } from './campaigns.ts'
export { checkDisputeEvidence, type EvidenceAdapters, type EvidenceVerdict } from './evidence.ts'
export { matmulInput, matmulOutput } from './matmul.ts'
export {
  type CheckedOffence,
  checkOffence,
  describeOffenceProblem,
  type OffenceCheck,
  type OffenceFacts,
  type OffenceProblem,
} from './offence.ts'
export {
  type CanonicalOffenceEvidence,
  type CheckedOffenceEvidence,
  checkOffenceEvidence,
  decodeOffenceEvidence,
  describeOffenceEvidenceProblem,
  encodeOffenceEvidence,
  type OffenceEvidenceCheck,
  type OffenceEvidenceFacts,
  type OffenceEvidenceProblem,
  offenceEvidenceBytesMax,
  type SignedStatement,
} from './offenceEvidence.ts'
export {
  type AuditCheckOptions,
  type AuditVerdict,
  createOperator,
  type Operator,
  type OperatorConfig,
} from './operator.ts'
export { createProofVerifier, type FetchKeyFile } from './proofVerifier.ts'
export { type CheckedReceipt, checkReceipt, type ReceiptCheck, type ReceiptFacts } from './receipt.ts'
export { type ReceiptMeaning, receiptMeaning } from './receiptMeaning.ts'
export {
  describeReceiptProblem,
  type ReceiptProblem,
  type ReceiptProblemKind,
} from './receiptProblem.ts'
export {
  describeProvenBlock,
  type ProofVerdict,
  type ProvenBlockFacts,
  type ReceiptProof,
  type VerifyProof,
} from './receiptProof.ts'
export {
  createRequester,
  type DownloadOptions,
  type LiteRequest,
  MalformedReceiptError,
  type MatmulRequest,
  type ProgramRequest,
  type QuoteRequest,
  type Requester,
  type RequesterConfig,
  type ShaderRequest,
  type SubmitOptions,
  type TaskTerms,
  type WaitOptions,
  WrongBytesError,
} from './requester.ts'
export type { ManyOutcome, ManyTask, ManyTerms, RefusedTask, SubmitManyOptions } from './submitMany.ts'
export { type UploadOptions, UploadStalledError } from './upload.ts'
export type { WaitManyOptions } from './waitMany.ts'
