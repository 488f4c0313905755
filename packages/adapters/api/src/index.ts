export type {
  AuditPage,
  Denial,
  DenialPage,
  DenialView,
  KeyOrder,
  KeyPage,
  KeyView,
  NewKey,
  PolicyRules,
  PolicyView,
} from './accessShapes.ts'
export {
  type AuditAction,
  type AuditBreak,
  type AuditHead,
  type AuditRecord,
  type AuditView,
  auditActions,
  auditDetailMax,
  auditHash,
  auditRecord,
  auditStart,
  auditSubjectMax,
  auditToJson,
  followChain,
  type KeyId,
  keyIdCodec,
} from './auditRecord.ts'
export { decodeBase64, encodeBase64 } from './base64.ts'
export { readBytes } from './body.ts'
export {
  type CampaignEventView,
  type CampaignOrderJson,
  type CampaignPage,
  type CampaignView,
  campaignEventView,
  type ItemResultView,
  isItemResult,
  itemStatuses,
  type ManifestJson,
  nextIndexHeader,
  resultRowBytes,
  type WebhookPage,
} from './campaignShapes.ts'
export {
  type Call,
  type Client,
  type ClientConfig,
  createClient,
  UnexpectedAnswerError,
  UnreachableError,
} from './client.ts'
export { type ErrorCode, errors } from './errors.ts'
export { type FollowOptions, followTask, isFinalEvent, readEvents, readMessages } from './events.ts'
export { evidenceFromJson, type ParsedEvidence } from './evidenceJson.ts'
export { type FollowCampaignOptions, followCampaign } from './followCampaign.ts'
export { type FollowEventsOptions, followEvents } from './followEvents.ts'
export type { BalanceView, QuoteView } from './ledgerRoutes.ts'
export { openApi } from './openapi.ts'
export {
  type DeadLetter,
  type DeadLetterPage,
  type DispatchOrder,
  type DispatchView,
  dispatchOrders,
  type OffenceEvidence,
  type OffencePage,
  type RequeueOrder,
  type WorkerOrder,
  type WorkerView,
} from './operationShapes.ts'
export { orchestratorRoutes } from './orchestrator.ts'
export {
  ApiError,
  type Problem,
  type ProblemDetails,
  problem,
  problemResponse,
  retryAfterOf,
  waitMsOf,
} from './problem.ts'
export { type ParsedReceipt, receiptFromJson, receiptToJson } from './receiptJson.ts'
export type { Answer, Parsed, Route } from './route.ts'
export { type Role, roleScopes, roles, type Scope, scopes, scopesOf } from './scopes.ts'
export * from './shapes.ts'
export * from './streamEvent.ts'
export { jsonBytesMax, type WithBody } from './validation.ts'
