/** Keys, audit log and policy over HTTP. */
import {
  ApiError,
  type AuditPage,
  auditToJson,
  type Denial,
  type DenialPage,
  type DenialView,
  type KeyOrder,
  type KeyPage,
  type KeyView,
  type NewKey,
  type PolicyRules,
  type PolicyView,
} from '@shardy/api'
import type { Actor } from '../access/audit.ts'
import { type KnownKey, stateOf } from '../access/keyRecord.ts'
import type { KeyRefusal } from '../access/keys.ts'
import { deniedMax, type OfferedWork, type PolicyRefusal } from '../access/workPolicy.ts'
import type { Services } from '../orchestrator.ts'

const pageDefault = '100'

function viewKey(key: KnownKey, nowMs: number): KeyView {
  const { keyId, requesterId, name, roles, held, createdAtMs, createdBy, expiresAtMs, revokedAtMs } = key
  return {
    keyId,
    requesterId,
    name,
    roles: [...roles],
    scopes: [...held],
    createdAtMs,
    ...(createdBy !== undefined && { createdBy }),
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    ...(revokedAtMs !== undefined && { revokedAtMs }),
    ...(key.revokedBy !== undefined && { revokedBy: key.revokedBy }),
    state: stateOf(key, nowMs),
  }
}

function keyProblem(refusal: KeyRefusal): ApiError {
  switch (refusal.kind) {
    case 'unknownRequester': {
      const { requesterId: value } = refusal
      return new ApiError('unknownRequester', {
        detail: `no key has ever belonged to requester ${value}`,
        field: 'requesterId',
        value,
        bound: 'the requester of a key in GET /v1/keys',
      })
    }
    case 'scopesBeyondRoles':
    case 'scopeExceeded': {
      const value = refusal.scopes.join(' ')
      const bound = refusal.held.join(' ') || 'none'
      const isOfRoles = refusal.kind === 'scopesBeyondRoles'
      const whose = isOfRoles
        ? 'scopes beyond what its roles have'
        : 'scopes that the key it is made with lacks'
      const detail = `scopes: a key would get ${whose}: ${value}`
      return new ApiError(isOfRoles ? 'invalidField' : 'scopeExceeded', {
        detail,
        field: 'scopes',
        value,
        bound,
      })
    }
    case 'expiryPassed': {
      const { expiresAtMs, nowMs } = refusal
      const detail = `expiresAtMs is ${expiresAtMs}; it is ${nowMs} already`
      const bound = `after ${nowMs}`
      return new ApiError('invalidField', { detail, field: 'expiresAtMs', value: String(expiresAtMs), bound })
    }
    case 'expiryBeyondMaker': {
      const { expiresAtMs, makerMs } = refusal
      const value = expiresAtMs === undefined ? 'nothing' : String(expiresAtMs)
      const bound = `a time up to ${makerMs}`
      const detail = `expiresAtMs is ${value}; the key it is made with expires at ${makerMs}, and no key that it makes outlives it`
      return new ApiError('invalidField', { detail, field: 'expiresAtMs', value, bound })
    }
    case 'makerEnded':
      return refusal.state === 'revoked'
        ? new ApiError('revokedApiKey', `key ${refusal.keyId} was revoked; nothing was made`)
        : new ApiError('expiredApiKey', `key ${refusal.keyId} has expired; nothing was made`)
    case 'tooManyKeys': {
      const bound = `at most ${refusal.keysMax}`
      return new ApiError('tooManyKeys', { detail: `${bound} keys are kept, revoked ones included`, bound })
    }
    case 'unknownKey':
      return new ApiError('unknownKey', {
        detail: `there is no key ${refusal.keyId}`,
        field: 'keyId',
        value: refusal.keyId,
      })
    case 'keyRevoked':
      return new ApiError('keyRevoked', {
        detail: `key ${refusal.keyId} was revoked at ${refusal.revokedAtMs}`,
        field: 'keyId',
        value: refusal.keyId,
      })
    case 'lastAdminKey':
      return new ApiError('lastAdminKey', {
        detail: `key ${refusal.keyId} is the last that can manage keys and does not expire; make another first`,
        field: 'keyId',
        value: refusal.keyId,
      })
  }
}

export async function createKey(
  { apiKeys, clock }: Services,
  order: KeyOrder,
  by: KnownKey,
  actor: Actor,
): Promise<NewKey> {
  const issued = await apiKeys.issue(order, by, actor)
  if (!issued.ok) throw keyProblem(issued.refusal)
  return { ...viewKey(issued.record, clock.nowMs()), key: issued.key }
}

export async function revokeKey({ apiKeys, clock }: Services, keyId: string, actor: Actor): Promise<KeyView> {
  const revoked = await apiKeys.revoke(keyId, actor)
  if (!revoked.ok) throw keyProblem(revoked.refusal)
  return viewKey(revoked.record, clock.nowMs())
}

interface PageQuery {
  readonly limit?: string
  readonly cursor?: string
}

/** One more than asked for tells whether something comes behind. */
function cut<T>(found: readonly T[], limit: number): { readonly shown: T[]; readonly last: T | undefined } {
  const shown = found.slice(0, limit)
  return { shown, last: found.length > limit ? shown.at(-1) : undefined }
}

export function listKeys(
  { apiKeys, clock }: Services,
  { limit = pageDefault, cursor = '' }: PageQuery,
): KeyPage {
  const { shown, last } = cut(apiKeys.page(Number(limit) + 1, cursor), Number(limit))
  const nowMs = clock.nowMs()
  return { keys: shown.map((key) => viewKey(key, nowMs)), ...(last && { nextCursor: last.keyId }) }
}

export async function listAudit(
  { audit, sha256 }: Services,
  { limit = pageDefault, cursor = '0' }: PageQuery,
): Promise<AuditPage> {
  const head = audit.head()
  const { shown, last } = cut(await audit.page(Number(cursor), Number(limit) + 1), Number(limit))
  return {
    records: shown.map((record) => auditToJson(record, sha256)),
    head,
    ...(last && { nextCursor: String(last.sequence) }),
  }
}

export function viewPolicy({ workPolicy }: Services): PolicyView {
  return { ...workPolicy.rules(), deniedCount: workPolicy.deniedCount() }
}

export async function setPolicy(services: Services, rules: PolicyRules, actor: Actor): Promise<PolicyView> {
  await services.workPolicy.set(rules, actor)
  return viewPolicy(services)
}

export async function denyProgram(
  { workPolicy }: Services,
  denial: Denial,
  actor: Actor,
): Promise<DenialView> {
  const record = await workPolicy.deny(denial, actor)
  if (record !== undefined) return record
  const bound = `at most ${deniedMax}`
  throw new ApiError('denyListFull', { detail: `the deny list has ${bound} programs`, bound })
}

export async function allowProgram({ workPolicy }: Services, programId: string, actor: Actor): Promise<void> {
  if (await workPolicy.allow(programId, actor)) return
  const detail = `program ${programId} is not on the deny list`
  throw new ApiError('notDenied', { detail, field: 'programId', value: programId })
}

export function listDenied(
  { workPolicy }: Services,
  { limit = pageDefault, cursor = '' }: PageQuery,
): DenialPage {
  const { shown, last } = cut(workPolicy.denied(Number(limit) + 1, cursor), Number(limit))
  return { denied: shown, ...(last && { nextCursor: last.programId }) }
}

/** For the submit path, once a task is known to be new. Throws what the requester is told. */
export function refuseByPolicy({ workPolicy }: Services, work: OfferedWork, who: string): void {
  const refusal = workPolicy.refuse(work, who)
  if (refusal !== undefined) throw policyProblem(refusal)
}

export function policyProblem(refusal: PolicyRefusal): ApiError {
  switch (refusal.kind) {
    case 'kindOff': {
      const { taskKind: value, allowed } = refusal
      const bound = allowed.join(', ') || 'none'
      const detail = `kind is ${value}, which is switched off here; taken are: ${bound}`
      return new ApiError('kindOff', { detail, field: 'kind', value, bound })
    }
    case 'programDenied': {
      const { programId: value, reason } = refusal
      const detail = `program ${value} is denied here: ${reason}`
      return new ApiError('programDenied', { detail, field: 'program', value, bound: 'not on the deny list' })
    }
    case 'programTooLarge': {
      const { bytes, bytesMax } = refusal
      const bound = `at most ${bytesMax} bytes`
      const value = `${bytes} bytes`
      return new ApiError('programTooLarge', {
        detail: `program has ${value}; the policy here takes ${bound}`,
        field: 'program',
        value,
        bound,
      })
    }
    case 'taskTooComplex': {
      const { complexity, complexityMax } = refusal
      const bound = `at most ${complexityMax} steps`
      const detail = `program takes ${complexity} steps; the policy here takes ${bound} in one task`
      return new ApiError('taskTooComplex', { detail, field: 'program', value: `${complexity} steps`, bound })
    }
    case 'workRateLimited': {
      const { complexity, perMinuteMax, retryAfterMs } = refusal
      const bound = `${perMinuteMax} steps in a minute`
      return new ApiError('workRateLimited', {
        detail: `${complexity} more steps would be over ${bound}`,
        field: 'program',
        value: `${complexity} steps`,
        bound,
        retryAfterMs,
      })
    }
  }
}
