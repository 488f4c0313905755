/**
 * What every item of a campaign runs, read once: the program and its facts, how an answer is verified, and what the first look
 * at a manifest can refuse. The rules of the manifest itself are `@shardy/campaign`'s.
 */
import { ApiError } from '@shardy/api'
import type { CampaignId, Manifest, VerifyForm } from '@shardy/campaign'
import { decodeWork, factsOf, type Work, type WorkFacts } from '@shardy/compute/work'
import {
  type Digest,
  describeVerify,
  type MicroCredit,
  madeProofKinds,
  type ProgramId,
  type ProofKind,
  parseVerify,
  programIdOf,
  type RequesterId,
  type Sha256,
  type VerifyPolicy,
  verifyPolicy,
} from '@shardy/protocol'
import { verificationOf } from '../http/verification.ts'
import { rewardWithin } from './price.ts'

export interface CampaignWork {
  readonly campaignId: CampaignId
  readonly requesterId: RequesterId
  readonly manifest: Manifest
  readonly requestDigest: Digest
  readonly programId: ProgramId
  readonly work: Work
  readonly facts: WorkFacts
  readonly verify: VerifyPolicy
  readonly proof: ProofKind
  readonly exact: boolean
  /** Offered for one task: what the manifest allows it to cost, less the fee. */
  readonly rewardMicroCredit: MicroCredit
}

const left = new Uint8Array(0)

/** As tasks say it, in text; no bytes stand for what was left out, which depends on the program. */
export const verifyForm: VerifyForm = {
  read(value) {
    if (value === undefined) return { ok: true, bytes: left }
    const parsed = typeof value === 'string' ? parseVerify(value) : undefined
    if (parsed !== undefined) return { ok: true, bytes: verifyPolicy.encode(parsed) }
    return { ok: false, bound: 'checked, quorum(n,k), audited(permille) or adaptive' }
  },
  write: (bytes) => verifyText(bytes),
}

export function verifyText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined
  const decoded = verifyPolicy.decode(bytes)
  if (!decoded.ok) throw new Error('a manifest holds a broken policy', { cause: decoded.refusal })
  return describeVerify(decoded.value)
}

/** Throws what a requester is told whose program or policy cannot be. */
export function workOf(
  campaignId: CampaignId,
  requesterId: RequesterId,
  manifest: Manifest,
  requestDigest: Digest,
  feePermille: number,
  sha256: Sha256,
): CampaignWork {
  const { kind, program } = manifest.work
  const decoded = decodeWork(kind, program)
  if (!decoded.ok)
    throw refused('work.program', `${decoded.field}: ${decoded.reason}`, `a ${kind} in canonical bytes`)
  const { work } = decoded
  if (work.kind === 'shader' && work.shader.exactness.exactness === 'inexact') {
    const bound = 'a shader of the exact subset'
    throw refused('work.program', 'the shader is not exact, so honest workers may differ', bound)
  }
  const verify = verifyText(manifest.verify)
  const asked = { ...(verify !== undefined && { verify }), proof: manifest.proof }
  return {
    campaignId,
    requesterId,
    manifest,
    requestDigest,
    programId: programIdOf(kind, program, sha256),
    work,
    facts: factsOf(work),
    ...inManifest(() => verificationOf(asked, work, madeProofKinds)),
    rewardMicroCredit: rewardWithin(manifest.rewardMicroCredit, feePermille),
  }
}

/** A field of a submission is here one of the manifest. */
export function inManifest<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.field === undefined) throw error
    const { code, detail, field, value, bound } = error.problem
    throw new ApiError(code, {
      detail,
      field: `manifest.${field}`,
      ...(value && { value }),
      ...(bound && { bound }),
    })
  }
}

export function refused(field: string, detail: string, bound: string, value?: string): ApiError {
  const at = `manifest.${field}`
  return new ApiError('invalidField', {
    detail: `${at}: ${detail}`,
    field: at,
    bound,
    ...(value !== undefined && { value }),
  })
}

/** The length of the input that every item gets, where the manifest says it; blobs are looked at one by one. */
export function refuseInputLength({ manifest, facts }: CampaignWork): ApiError | undefined {
  const { range, seeds } = manifest.inputs
  const actual =
    range !== undefined
      ? Math.max(range.template.length, range.offset + 8)
      : seeds?.input === undefined
        ? 0
        : undefined
  if ((range === undefined && seeds === undefined) || actual === undefined || actual === facts.inputLength)
    return undefined
  const place = range === undefined ? 'inputs.seeds.input' : 'inputs.range.template'
  const detail = `every item gets ${actual} bytes; the ${facts.summary} takes ${facts.inputLength}`
  return refused(place, detail, `${facts.inputLength} bytes`, `${actual} bytes`)
}
