/**
 * One record of the audit log and the chain it stands in: each carries the hash of the one before, so a record that
 * is changed, taken out or put in breaks every hash after it. What the chain does not show by itself: records cut off
 * at the end, and a log rewritten as a whole. Against both helps a head (number and hash) noted somewhere else.
 */
import {
  type Brand,
  choice,
  type Digest,
  domainPayload,
  encodeHex,
  field,
  hex,
  type Infer,
  message,
  optional,
  type Sha256,
  text,
  values,
  whole,
} from '@shardy/protocol'

/** The hash of an API key: names it without being able to act as it. */
export type KeyId = Brand<string, 'KeyId'>
export const keyIdCodec = hex<KeyId>(32)

/** Numbered by their order in stored records: add at the end, never take out. */
export const auditActions = [
  'keyCreated',
  'keyRevoked',
  /** A key of an earlier version was given its roles. */
  'keyConverted',
  'policyChanged',
  'programDenied',
  'programAllowed',
  'taskForgotten',
  'dispatchPaused',
  'dispatchResumed',
  'dispatchDrained',
  'taskRequeued',
  'taskPurged',
  'slashingDecided',
  'workerDrained',
  'workerUndrained',
  'backupTaken',
  /** A standby was given the log. */
  'logFollowed',
  /** It was told that another orchestrator has taken over. */
  'storeFenced',
] as const
export type AuditAction = (typeof auditActions)[number]

export const auditSubjectMax = 128
export const auditDetailMax = 1024

export const auditRecord = message('AuditRecord', {
  /** From 1, without gaps. */
  sequence: field(1, whole(1, Number.MAX_SAFE_INTEGER)),
  /** The hash of the record before; zeros in the first. */
  previous: field(2, values.digest),
  atMs: field(3, values.timeMs),
  /** The key that acted; none when the orchestrator itself did. */
  actor: field(4, optional(keyIdCodec)),
  action: field(5, choice(auditActions)),
  /** What it was done to: an id. */
  subject: field(6, text(auditSubjectMax)),
  detail: field(7, text(auditDetailMax)),
  /** From where, as far as trusted proxies say. */
  address: field(8, text(64)),
})
export type AuditRecord = Infer<typeof auditRecord>

export const auditStart = '0'.repeat(64) as Digest

export function auditHash(record: AuditRecord, sha256: Sha256): Digest {
  return encodeHex(sha256(domainPayload('audit', auditRecord.encode(record)))) as Digest
}

/** A record as it is told, with its own hash. */
export interface AuditView {
  readonly sequence: number
  readonly previous: string
  readonly atMs: number
  readonly actor?: string
  readonly action: AuditAction
  readonly subject: string
  readonly detail: string
  readonly address: string
  readonly hash: string
}

export function auditToJson({ actor, ...record }: AuditRecord, sha256: Sha256): AuditView {
  const hash = auditHash({ actor, ...record }, sha256)
  return { ...record, ...(actor !== undefined && { actor }), hash }
}

/** Where a chain has come to. */
export interface AuditHead {
  readonly sequence: number
  readonly hash: string
}

export type AuditBreak = {
  readonly kind: 'gap' | 'brokenLink' | 'changed'
  readonly sequence: number
  readonly expected: string
  readonly actual: string
}

/** Goes on from `head` over the records; gives the new head, or the first record that does not fit. */
export function followChain(
  head: AuditHead,
  records: readonly AuditView[],
  sha256: Sha256,
): { readonly ok: true; readonly head: AuditHead } | { readonly ok: false; readonly broken: AuditBreak } {
  let { sequence, hash } = head
  const broken = (kind: AuditBreak['kind'], expected: string, actual: string) =>
    ({ ok: false, broken: { kind, sequence: sequence + 1, expected, actual } }) as const
  for (const { hash: claimed, actor, ...record } of records) {
    if (record.sequence !== sequence + 1) return broken('gap', String(sequence + 1), String(record.sequence))
    if (record.previous !== hash) return broken('brokenLink', hash, record.previous)
    const actual = auditHash({ ...record, actor } as AuditRecord, sha256)
    if (actual !== claimed) return broken('changed', claimed, actual)
    sequence = record.sequence
    hash = actual
  }
  return { ok: true, head: { sequence, hash } }
}
