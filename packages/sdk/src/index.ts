export {
  ApiError,
  type ErrorCode,
  type EventView,
  type Health,
  type Problem,
  receiptFromJson,
  receiptToJson,
  type Submission,
  type TaskPage,
  type TaskView,
  UnexpectedAnswerError,
  UnreachableError,
  type WorkersView,
} from '@shardy/api'
export { type AnswerCheck, type AnswerCheckAdapters, type AnswerVerdict, checkAnswer } from './answer.ts'
export { checkDisputeEvidence, type EvidenceAdapters, type EvidenceVerdict } from './evidence.ts'
export { matmulInput, matmulOutput } from './matmul.ts'
export { type CheckedReceipt, checkReceipt, type ReceiptCheck, type ReceiptFacts } from './receipt.ts'
export {
  describeReceiptProblem,
  type ReceiptProblem,
  type ReceiptProblemKind,
} from './receiptProblem.ts'
export {
  createRequester,
  type DownloadOptions,
  MalformedReceiptError,
  type MatmulRequest,
  type ProgramRequest,
  type Requester,
  type RequesterConfig,
  type ShaderRequest,
  type SubmitOptions,
  type TaskTerms,
  type WaitOptions,
  WrongBytesError,
} from './requester.ts'
export { type UploadOptions, UploadStalledError } from './upload.ts'
