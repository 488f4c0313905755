/**
 * API keys: who a presented key is, and making and revoking them. Only hashes are kept. Each change is one batch with
 * its record in the audit log. Revoked and expired keys stay, so that the log's ids can be looked up.
 */
import type { KeyId, KeyOrder, Role, Scope } from '@shardy/api'
import { domainPayload, encodeHex, type RequesterId, type Sha256, type TimeMs } from '@shardy/protocol'
import type { Operation, Store } from '@shardy/storage'
import type { Clock } from '../clock.ts'
import { idKey, type Table } from '../tables.ts'
import { createTurns } from '../turns.ts'
import type { Actor, Audit } from './audit.ts'
import { convertKey, type KeyRecord, type KnownKey, keyRecord, known, stateOf } from './keyRecord.ts'

export type KeyRefusal =
  | { readonly kind: 'unknownRequester'; readonly requesterId: string }
  | { readonly kind: 'scopesBeyondRoles'; readonly scopes: readonly Scope[]; readonly held: readonly Scope[] }
  | { readonly kind: 'scopeExceeded'; readonly scopes: readonly Scope[]; readonly held: readonly Scope[] }
  | { readonly kind: 'expiryPassed'; readonly expiresAtMs: number; readonly nowMs: number }
  | { readonly kind: 'expiryBeyondMaker'; readonly expiresAtMs: number | undefined; readonly makerMs: number }
  | { readonly kind: 'makerEnded'; readonly keyId: string; readonly state: 'revoked' | 'expired' }
  | { readonly kind: 'tooManyKeys'; readonly keysMax: number }
  | { readonly kind: 'unknownKey'; readonly keyId: string }
  | { readonly kind: 'keyRevoked'; readonly keyId: string; readonly revokedAtMs: number }
  | { readonly kind: 'lastAdminKey'; readonly keyId: string }

export type Issued =
  | { readonly ok: true; readonly key: string; readonly record: KnownKey }
  | { readonly ok: false; readonly refusal: KeyRefusal }
export type Revoked =
  | { readonly ok: true; readonly record: KnownKey }
  | { readonly ok: false; readonly refusal: KeyRefusal }

export interface ApiKeys {
  /** The key as it is known, whatever its state. */
  find(key: string): KnownKey | undefined
  /** Who a presented key belongs to, if it works. */
  requester(key: string): RequesterId | undefined
  /** Whether a key that was let in still works. */
  isActive(keyId: KeyId): boolean
  /** By a key, or by the orchestrator itself. */
  issue(order: KeyOrder, by: KnownKey | undefined, actor: Actor): Promise<Issued>
  revoke(keyId: string, actor: Actor): Promise<Revoked>
  /** A key that the orchestrator makes by itself, shown once. */
  create(name: string, roles?: readonly Role[]): Promise<string>
  /** By id, behind the cursor. */
  page(limit: number, cursor: string): readonly KnownKey[]
  count(): number
  /** Whether somebody can manage keys, now and for as long as nobody revokes them. */
  isManaged(): boolean
}

/** All of them are held in memory. */
const keysMax = 10_000

export async function openApiKeys(
  store: Store<Table>,
  clock: Clock,
  sha256: Sha256,
  randomHex: (bytes: number) => string,
  audit: Audit,
): Promise<ApiKeys> {
  const keys = new Map<string, KnownKey>()
  const requesters = new Set<string>()
  /** What is looked at before a change must still hold when it is made. */
  const turns = createTurns<'change'>()

  const put = (record: KeyRecord): Operation<Table> => ({
    kind: 'put',
    table: 'apiKeys',
    key: idKey(record.keyId),
    value: keyRecord.encode(record),
  })
  function remember(record: KeyRecord): KnownKey {
    const key = known(record)
    keys.set(record.keyId, key)
    requesters.add(record.requesterId)
    return key
  }

  const converted: KeyRecord[] = []
  for await (const { value } of store.iterate('apiKeys')) {
    const decoded = keyRecord.decode(value)
    const record = decoded.ok ? decoded.value : convertKey(value)
    if (record === undefined) throw new Error('the store holds a broken KeyRecord')
    if (!decoded.ok) converted.push(record)
    remember(record)
  }
  for (const record of converted) {
    const detail = `roles ${record.roles.join(' ')}`
    await audit.append({ action: 'keyConverted', subject: record.keyId, detail, by: {} }, [put(record)])
  }

  const idOf = (key: string): KeyId =>
    encodeHex(sha256(domainPayload('api-key', new TextEncoder().encode(key)))) as KeyId

  const manages = (key: KnownKey): boolean =>
    key.held.has('keys:manage') && key.expiresAtMs === undefined && stateOf(key, clock.nowMs()) === 'active'

  function refuseOrder(order: KeyOrder, record: KnownKey, by: KnownKey | undefined): KeyRefusal | undefined {
    const { requesterId, expiresAtMs, scopes = [] } = order
    const nowMs = clock.nowMs()
    // It waited for its turn: what the key was at the gate may be over.
    const maker = by && (keys.get(by.keyId) ?? by)
    const state = maker === undefined ? 'active' : stateOf(maker, nowMs)
    if (maker !== undefined && state !== 'active') return { kind: 'makerEnded', keyId: maker.keyId, state }
    if (keys.size >= keysMax) return { kind: 'tooManyKeys', keysMax }
    if (requesterId !== undefined && !requesters.has(requesterId))
      return { kind: 'unknownRequester', requesterId }
    if (expiresAtMs !== undefined && expiresAtMs <= nowMs) return { kind: 'expiryPassed', expiresAtMs, nowMs }
    const makerMs = maker?.expiresAtMs
    if (makerMs !== undefined && (expiresAtMs === undefined || expiresAtMs > makerMs)) {
      return { kind: 'expiryBeyondMaker', expiresAtMs, makerMs }
    }
    const beyond = scopes.filter((scope) => !record.held.has(scope))
    const whole = [...known({ ...record, scopes: [] }).held]
    if (beyond.length > 0) return { kind: 'scopesBeyondRoles', scopes: beyond, held: whole }
    // An admin may make any key; one that was narrowed must not widen itself through a key that it makes.
    if (by === undefined || by.scopes.length === 0) return undefined
    const exceeding = [...record.held].filter((scope) => !by.held.has(scope))
    if (exceeding.length === 0) return undefined
    return { kind: 'scopeExceeded', scopes: exceeding, held: [...by.held] }
  }

  const issue: ApiKeys['issue'] = (order, by, actor) =>
    turns.take('change', async () => {
      const key = `shardy_${randomHex(32)}`
      const keyId = idOf(key)
      const { name, roles, scopes = [], expiresAtMs } = order
      const record = known({
        keyId,
        requesterId: (order.requesterId ?? keyId) as RequesterId,
        name,
        roles,
        scopes,
        createdAtMs: clock.nowMs(),
        createdBy: actor.keyId,
        expiresAtMs: expiresAtMs as TimeMs | undefined,
        revokedAtMs: undefined,
        revokedBy: undefined,
      })
      const refusal = refuseOrder(order, record, by)
      if (refusal !== undefined) return { ok: false, refusal }
      const rights = scopes.length === 0 ? '' : `, scopes ${scopes.join(' ')}`
      const expiry = expiresAtMs === undefined ? '' : `, expires at ${expiresAtMs}`
      const detail = `${name}: roles ${roles.join(' ')}${rights}${expiry}, requester ${record.requesterId}`
      await audit.append({ action: 'keyCreated', subject: keyId, detail, by: actor }, [put(record)])
      return { ok: true, key, record: remember(record) }
    })

  return {
    find: (key) => keys.get(idOf(key)),
    requester(key) {
      // Keys carry 256 random bits and are compared by hash, so the look-up's timing tells nothing useful.
      const found = keys.get(idOf(key))
      return found && stateOf(found, clock.nowMs()) === 'active' ? found.requesterId : undefined
    },
    isActive(keyId) {
      const found = keys.get(keyId)
      return found !== undefined && stateOf(found, clock.nowMs()) === 'active'
    },
    issue,
    revoke: (keyId, actor) =>
      turns.take('change', async () => {
        const found = keys.get(keyId)
        if (found === undefined) return { ok: false, refusal: { kind: 'unknownKey', keyId } }
        const { held, ...record } = found
        const { revokedAtMs } = record
        if (revokedAtMs !== undefined) {
          return { ok: false, refusal: { kind: 'keyRevoked', keyId, revokedAtMs } }
        }
        if (manages(found) && ![...keys.values()].some((other) => other !== found && manages(other))) {
          return { ok: false, refusal: { kind: 'lastAdminKey', keyId } }
        }
        const revoked = { ...record, revokedAtMs: clock.nowMs(), revokedBy: actor.keyId }
        const detail = `${record.name}, requester ${record.requesterId}`
        await audit.append({ action: 'keyRevoked', subject: keyId, detail, by: actor }, [put(revoked)])
        return { ok: true, record: remember(revoked) }
      }),
    async create(name, roles = ['requester']) {
      const issued = await issue({ name, roles: [...roles] }, undefined, {})
      if (!issued.ok) throw new Error(`no key: ${issued.refusal.kind}`)
      return issued.key
    },
    page(limit, cursor) {
      const behind = [...keys.keys()].filter((keyId) => keyId > cursor).sort()
      return behind.slice(0, limit).flatMap((keyId) => keys.get(keyId) ?? [])
    },
    count: () => keys.size,
    isManaged: () => [...keys.values()].some(manages),
  }
}
