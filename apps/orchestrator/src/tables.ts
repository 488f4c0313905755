/**
 * What the orchestrator keeps and under which keys. Keys are fixed-width bytes, so that ranges are prefixes and
 * times sort; values are the records' canonical bytes.
 */
import {
  type DeliveryId,
  decodeHex,
  field,
  type Infer,
  message,
  type RequesterId,
  type TaskId,
  type TimeMs,
  values,
  whole,
} from '@shardy/protocol'

/** A change to a record's encoding or to a key is a new version and a migration. */
export const schemaVersion = 6

export const tables = [
  /** Tasks that have ended, whole: deliveries and history within. */
  'tasks',
  /** Tasks that have not: what recovery reads. */
  'liveTasks',
  /** Requester, submission time and task id: what listing reads. */
  'tasksByRequester',
  /** Ended tasks that died. */
  'deadLetters',
  /** Small inputs and outputs, under `payloadKey`; larger ones are blobs. */
  'taskInputs',
  'taskOutputs',
  /** What the book is told, under the commit's number, until it is applied. */
  'outbox',
  /** The book's rows under their own keys. */
  'book',
  /** Wrong answers of exact kinds, under the delivery's id, with what a stranger needs to repeat the finding. */
  'offences',
  /** Counters of the orchestrator's own, under their names. */
  'counters',
  'standings',
  /** Audits that are not decided of tasks that have ended, under the delivery's id. */
  'lateAudits',
  'blobs',
  /** Blob digest and task id: a blob is kept while it has any. */
  'references',
  /** Under the key's hash. */
  'apiKeys',
  /** Sequence. */
  'audit',
  'policy',
  /** Program id. */
  'deniedPrograms',
  /** Events of all tasks, a commit's in a row, under the sequence of the last of them. */
  'eventLog',
  /** A campaign's record under its id; what was asked, beside it, because that never changes. */
  'campaigns',
  'campaignManifests',
  /** Ids of campaigns that have not ended: what recovery reads. */
  'liveCampaigns',
  /** Requester, time of creation and campaign id: what listing reads. */
  'campaignsByRequester',
  /** Campaign id and index: open items, and results until their segment is complete. */
  'campaignItems',
  'campaignResults',
  /** Campaign id and segment: the results of 1,024 items in one row. */
  'campaignSegments',
  /** Campaign id and sequence. */
  'campaignEvents',
  /** Campaigns whose listed blobs are being referred to, or let go of again. */
  'campaignHolds',
  /** Campaign id and sequence of the event: what is to be sent, and what was sent or given up. */
  'webhooks',
  'webhooksEnded',
  /** Requester and hash of the name: what webhooks are signed with, as it is. */
  'webhookSecrets',
] as const
export type Table = (typeof tables)[number]

/** Most of the bytes, and never changed: apart, they are not rewritten with what changes all the time. */
export const columns: readonly Table[] = ['taskInputs', 'taskOutputs']

export const blobRecord = message('BlobRecord', {
  digest: field(1, values.digest),
  length: field(2, whole(0, Number.MAX_SAFE_INTEGER)),
  ownerId: field(3, values.requesterId),
  createdAtMs: field(4, values.timeMs),
})
export type BlobRecord = Infer<typeof blobRecord>

export function idKey(...ids: readonly string[]): Uint8Array {
  const bytes = decodeHex(ids.join(''))
  if (bytes === undefined) throw new TypeError(`not hex: ${ids.join(' ')}`)
  return bytes
}

export function numberKey(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}

export function requesterKey(requesterId: RequesterId, atMs: TimeMs, taskId: TaskId): Uint8Array {
  return joined(idKey(requesterId), joined(numberKey(atMs), idKey(taskId)))
}

/**
 * The time comes first, so that what is written next to each other lies next to each other, and the store need not sort
 * it again. The output of a task is under its own key, an answer to one that is still open under its delivery's too.
 */
export function payloadKey(
  { submittedAtMs, taskId }: { readonly submittedAtMs: TimeMs; readonly taskId: TaskId },
  deliveryId?: DeliveryId,
): Uint8Array {
  return joined(
    numberKey(submittedAtMs),
    deliveryId === undefined ? idKey(taskId) : idKey(taskId, deliveryId),
  )
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(left.length + right.length)
  bytes.set(left)
  bytes.set(right, left.length)
  return bytes
}
