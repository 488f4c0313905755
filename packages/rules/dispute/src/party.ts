/**
 * The two sides of a dispute: what each signed, and whether that can be disputed at all (spec B1). Everything here is
 * checked again by whoever is shown evidence.
 */
import {
  attestation,
  attestedPayload,
  type Digest,
  domainPayload,
  encodeHex,
  field,
  type Infer,
  message,
  type ProgramId,
  type PublicKey,
  publicKey,
  type Sha256,
  type Signature,
  type Statement,
  statement,
  type WorkerId,
} from '@shardy/protocol'
import type { Outline, ProgramOutline } from './outline.ts'

export const party = message('DisputeParty', {
  statement: field(1, statement.codec),
  attestation: field(2, attestation.codec),
  publicKey: field(3, publicKey()),
})
export type Party = Infer<typeof party>

export type PartyRefusal =
  | { readonly kind: 'notAResult'; readonly workerId: WorkerId }
  | { readonly kind: 'otherTask' | 'otherProgram' | 'otherSeed' | 'otherInput' }
  | { readonly kind: 'sameWorker'; readonly workerId: WorkerId }
  /** The key is not the one that the statement's worker is named by. */
  | { readonly kind: 'otherKey'; readonly workerId: WorkerId }
  /** The attestation's path leads from this statement to no batch of its size. */
  | { readonly kind: 'noBatch'; readonly workerId: WorkerId }
  | { readonly kind: 'noTrace'; readonly workerId: WorkerId }
  | { readonly kind: 'agree' }

/** A result that names its trace. */
export type Disputed = Statement & { readonly outputDigest: Digest; readonly traceRoot: Digest }

export function isDisputed(value: Statement): value is Disputed {
  return value.role === 'result' && value.outputDigest !== undefined && value.traceRoot !== undefined
}

/** What was signed, of a party that `refuseParties` let through. */
export function disputedBy({ statement: value }: Party): Disputed {
  if (!isDisputed(value)) throw new Error(`worker ${value.workerId} gave no result with a trace`)
  return value
}

/** Why these two cannot be disputed, if they cannot. Signatures are not asked here. */
export function refuseParties(a: Party, b: Party, sha256: Sha256): PartyRefusal | undefined {
  const [one, other] = [a.statement, b.statement]
  for (const { role, workerId } of [one, other])
    if (role !== 'result') return { kind: 'notAResult', workerId }
  if (one.taskId !== other.taskId) return { kind: 'otherTask' }
  if (one.programId !== other.programId) return { kind: 'otherProgram' }
  if (one.seed !== other.seed) return { kind: 'otherSeed' }
  if (one.inputDigest !== other.inputDigest) return { kind: 'otherInput' }
  if (one.workerId === other.workerId) return { kind: 'sameWorker', workerId: one.workerId }
  for (const each of [a, b]) {
    const { workerId } = each.statement
    if (encodeHex(sha256(each.publicKey)) !== workerId) return { kind: 'otherKey', workerId }
    if (attestedPayload(each.statement, each.attestation, sha256) === undefined)
      return { kind: 'noBatch', workerId }
  }
  for (const { traceRoot, workerId } of [one, other]) {
    if (traceRoot === undefined) return { kind: 'noTrace', workerId }
  }
  const isSame = one.outputDigest === other.outputDigest && one.traceRoot === other.traceRoot
  return isSame ? { kind: 'agree' } : undefined
}

export interface SignatureCheck {
  readonly workerId: WorkerId
  readonly publicKey: PublicKey
  readonly payload: Uint8Array
  readonly signature: Signature
}

/** What has to verify before the party's statement counts as said. */
export function signatureOf(
  { statement: value, attestation: by, publicKey: key }: Party,
  sha256: Sha256,
): SignatureCheck {
  const payload = attestedPayload(value, by, sha256)
  if (payload === undefined) throw new Error(`the attestation of worker ${value.workerId} fits no batch`)
  return { workerId: value.workerId, publicKey: key, payload, signature: by.signature }
}

export type ProgramRefusal =
  | { readonly kind: 'wrongProgram'; readonly expected: ProgramId; readonly actual: ProgramId }
  | { readonly kind: 'unreadableProgram'; readonly programId: ProgramId }
  /** Then there is no trace, and every root is wrong. */
  | { readonly kind: 'noNodes'; readonly programId: ProgramId }

export type ReadProgram =
  | { readonly ok: true; readonly outline: ProgramOutline }
  | { readonly ok: false; readonly refusal: ProgramRefusal }

export function readProgram(
  program: Uint8Array,
  expected: ProgramId,
  { sha256, outline: read }: { readonly sha256: Sha256; readonly outline: Outline },
): ReadProgram {
  const actual = encodeHex(sha256(domainPayload('program', program))) as ProgramId
  if (actual !== expected) return { ok: false, refusal: { kind: 'wrongProgram', expected, actual } }
  const outline = read(program)
  if (outline === undefined) return { ok: false, refusal: { kind: 'unreadableProgram', programId: actual } }
  if (outline.nodes.length === 0) return { ok: false, refusal: { kind: 'noNodes', programId: actual } }
  return { ok: true, outline }
}
