/**
 * The gate that every request passes before anything of it is read: its address' limit, its key, the scope that the
 * route names, the key's limit. Once passed, the visit says who asks, without hashing the key again.
 */
import { ApiError, type Route } from '@shardy/api'
import type { RequesterId } from '@shardy/protocol'
import type { Clock } from '../clock.ts'
import type { Actor } from './audit.ts'
import { unknownAddress } from './clientAddress.ts'
import { type KnownKey, stateOf } from './keyRecord.ts'
import type { ApiKeys } from './keys.ts'
import type { LimitedBy, Limits } from './limits.ts'

export interface Visit {
  readonly address: string
  /** None on a public route. */
  readonly key: KnownKey | undefined
}

type CountedClass = 'submit' | 'read' | 'blobBytes'

export interface Gate {
  /** From which address a request came; before it is answered. */
  arrive(request: Request, address: string): void
  /** Throws what the visitor is told. */
  enter(request: Request, scope: Route['scope']): void
  visit(request: Request): Visit
  requester(request: Request): RequesterId
  actor(request: Request): Actor
  key(request: Request): KnownKey
  /** Takes more of a class: a batch of n tasks takes n - 1 besides the one that it took at the gate. */
  take(request: Request, counted: CountedClass, amount: number): void
  /** Counts what has happened already, such as bytes that were sent. */
  charge(request: Request, counted: CountedClass, amount: number): void
}

export function createGate(apiKeys: ApiKeys, limits: Limits, clock: Clock): Gate {
  const visits = new WeakMap<Request, Visit>()
  const visit = (request: Request): Visit =>
    visits.get(request) ?? { address: unknownAddress, key: undefined }
  const each = ({ address, key }: Visit): readonly (readonly [LimitedBy, string])[] =>
    key === undefined
      ? [['address', address]]
      : [
          ['address', address],
          ['key', key.keyId],
        ]

  function key(request: Request): KnownKey {
    const found = visit(request).key
    if (found === undefined) throw new Error('a public route asks who is there')
    return found
  }

  return {
    arrive: (request, address) => void visits.set(request, { address, key: undefined }),
    enter(request, scope) {
      const { address } = visit(request)
      const counted = scope === 'tasks:submit' ? 'submit' : 'read'
      limits.take(`${counted}.address`, address, 1)
      if (scope === 'public') return
      const found = keyOf(request, apiKeys, clock.nowMs())
      if (!found.held.has(scope)) {
        const value = [...found.held].join(' ')
        const detail = `it takes a key with ${scope}; this one has ${value}`
        throw new ApiError('missingScope', { detail, field: 'authorization', value, bound: scope })
      }
      limits.take(`${counted}.key`, found.keyId, 1)
      visits.set(request, { address, key: found })
    },
    visit,
    key,
    requester: (request) => key(request).requesterId,
    actor: (request) => ({ keyId: visit(request).key?.keyId, address: visit(request).address }),
    take(request, counted, amount) {
      if (amount <= 0) return
      const { address, key } = visit(request)
      limits.take(`${counted}.address`, address, amount)
      if (key === undefined) return
      try {
        limits.take(`${counted}.key`, key.keyId, amount)
      } catch (error) {
        // Others behind the same address must not pay for what this key did not get.
        limits.charge(`${counted}.address`, address, -amount)
        throw error
      }
    },
    charge(request, counted, amount) {
      if (amount <= 0) return
      for (const [by, who] of each(visit(request))) limits.charge(`${counted}.${by}`, who, amount)
    },
  }
}

/** The key of the Authorization header, if it works now. What was sent is never repeated. */
function keyOf(request: Request, apiKeys: ApiKeys, nowMs: number): KnownKey {
  const header = request.headers.get('authorization')
  if (header === null) {
    throw new ApiError(
      'missingApiKey',
      'send it as `Authorization: Bearer …`; `npm start` prints where it lies',
    )
  }
  const given = /^Bearer ([\x21-\x7e]{1,256})$/.exec(header)?.[1]
  const found = given === undefined ? undefined : apiKeys.find(given)
  if (found === undefined) {
    throw new ApiError('badApiKey', 'the key in the Authorization header is none of this orchestrator')
  }
  switch (stateOf(found, nowMs)) {
    case 'active':
      return found
    case 'revoked':
      throw new ApiError('revokedApiKey', `key ${found.keyId} was revoked; ask an admin for another`)
    case 'expired':
      throw new ApiError('expiredApiKey', `key ${found.keyId} has expired; ask an admin for another`)
  }
}
