/**
 * An API key as it is kept: under its hash, which names it; the key itself is nowhere. Several keys may belong to one
 * requester, so a requester outlives each of them.
 */
import { type KeyId, keyIdCodec, roles, type Scope, scopes, scopesOf } from '@shardy/api'
import { choice, field, type Infer, list, message, optional, text, values } from '@shardy/protocol'

export const keyNameMax = 64

export const keyRecord = message('KeyRecord', {
  keyId: field(1, keyIdCodec),
  requesterId: field(2, values.requesterId),
  name: field(3, text(keyNameMax)),
  roles: field(4, list(choice(roles), roles.length)),
  /** Narrower than the roles; none means all that the roles have. */
  scopes: field(5, list(choice(scopes), scopes.length)),
  createdAtMs: field(6, values.timeMs),
  /** None: the orchestrator itself. */
  createdBy: field(7, optional(keyIdCodec)),
  expiresAtMs: field(8, optional(values.timeMs)),
  revokedAtMs: field(9, optional(values.timeMs)),
  revokedBy: field(10, optional(keyIdCodec)),
})
export type KeyRecord = Infer<typeof keyRecord>

/** What versions before roles wrote: the hash was the requester's id. */
export const keyRecordBeforeRoles = message('ApiKeyRecord', {
  requesterId: field(1, values.requesterId),
  name: field(2, text(keyNameMax)),
  createdAtMs: field(3, values.timeMs),
})

/** The name that every version gave to the key it made at its first start. */
export const firstKeyName = 'first key'

/** The key of the first start becomes the admin's; any other could submit and nothing else, and still can. */
export function convertKey(bytes: Uint8Array): KeyRecord | undefined {
  const decoded = keyRecordBeforeRoles.decode(bytes)
  if (!decoded.ok) return undefined
  const { requesterId, name, createdAtMs } = decoded.value
  return {
    keyId: requesterId as string as KeyId,
    requesterId,
    name,
    roles: name === firstKeyName ? ['requester', 'admin'] : ['requester'],
    scopes: [],
    createdAtMs,
    createdBy: undefined,
    expiresAtMs: undefined,
    revokedAtMs: undefined,
    revokedBy: undefined,
  }
}

/** A key with what it may do, worked out once. */
export type KnownKey = KeyRecord & { readonly held: ReadonlySet<Scope> }

export const known = (record: KeyRecord): KnownKey => ({
  ...record,
  held: scopesOf(record.roles, record.scopes),
})

export type KeyState = 'active' | 'expired' | 'revoked'

export function stateOf({ revokedAtMs, expiresAtMs }: KeyRecord, nowMs: number): KeyState {
  if (revokedAtMs !== undefined) return 'revoked'
  return expiresAtMs !== undefined && expiresAtMs <= nowMs ? 'expired' : 'active'
}
