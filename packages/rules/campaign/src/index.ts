export { refuseDeadline } from './admission.ts'
export { type CampaignId, campaignId } from './campaignId.ts'
export type { Effect, IgnoredReason, Save } from './effect.ts'
export type { Answered, Input, TaskEnd } from './input.ts'
export { itemTaskId } from './itemTask.ts'
export * from './limits.ts'
export { type CampaignInputs, countOf, inputKinds } from './manifest/inputs.ts'
export { digestsIn, type ItemInput, type ItemWork, itemWork } from './manifest/itemInput.ts'
export { type ManifestReading, readManifest, type VerifyForm, writeManifest } from './manifest/json.ts'
export type { ManifestRefusal } from './manifest/jsonPlace.ts'
export { type CampaignWebhook, type Manifest, manifest } from './manifest/manifest.ts'
export { type CampaignProgress, type HeldUpBy, progressOf } from './progress.ts'
export * from './record.ts'
export { recover } from './recovery.ts'
export {
  hasOutput,
  packResults,
  type ResultSegment,
  resultSegment,
  segmentOf,
  unpackResults,
} from './segment.ts'
export {
  type CampaignPolicy,
  type CampaignState,
  defaultPolicy,
  newCampaign,
  nextDueMs,
} from './state.ts'
export { step } from './step.ts'
export { type AddressClass, classOfAddress } from './webhook/address.ts'
export {
  afterAttempt,
  defaultWebhookPolicy,
  newWebhook,
  type WebhookOutcome,
  type WebhookPolicy,
  type WebhookRecord,
  webhookRecord,
  webhookStatuses,
} from './webhook/delivery.ts'
export {
  secretBytesMax,
  secretBytesMin,
  signWebhook,
  toleranceMsDefault,
  verifyWebhook,
  type WebhookFlaw,
  webhookBody,
  webhookEventId,
  webhookHeaders,
} from './webhook/message.ts'
export {
  parseWebhookUrl,
  refuseWebhookUrl,
  strictUrlPolicy,
  type WebhookUrl,
  type WebhookUrlPolicy,
  type WebhookUrlRefusal,
} from './webhook/url.ts'
