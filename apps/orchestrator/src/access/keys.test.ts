import { beforeEach, describe, expect, test } from 'bun:test'
import { auditStart, auditToJson, followChain } from '@shardy/api'
import { sha256 } from '@shardy/crypto/native'
import { domainPayload, encodeHex, type RequesterId, type TimeMs } from '@shardy/protocol'
import { createFailingStore, type FailingStore } from '../../test/failingStore.ts'
import { createManualClock, type ManualClock } from '../../test/manualClock.ts'
import { openMemoryStore } from '../../test/network.ts'
import { idKey } from '../tables.ts'
import { type Audit, openAudit } from './audit.ts'
import { firstKeyName, keyRecordBeforeRoles } from './keyRecord.ts'
import { type ApiKeys, openApiKeys } from './keys.ts'

let store: FailingStore
let clock: ManualClock
let audit: Audit
let keys: ApiKeys
const randomHex = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)).toHex()
const dayMs = 86_400_000

async function open(): Promise<void> {
  audit = await openAudit(store, clock, sha256)
  keys = await openApiKeys(store, clock, sha256, randomHex, audit)
}

beforeEach(async () => {
  store = createFailingStore(await openMemoryStore())
  clock = createManualClock()
  await open()
})

async function issued(order: Parameters<ApiKeys['issue']>[0]) {
  const result = await keys.issue(order, undefined, {})
  if (!result.ok) throw new Error(result.refusal.kind)
  return result
}

describe('a key', () => {
  test('is a requester of its own, or another key of one that outlives it', async () => {
    const first = await issued({ name: 'old', roles: ['requester'] })
    const { requesterId, keyId } = first.record
    const second = await issued({ name: 'new', roles: ['requester'], requesterId })
    expect(second.record.keyId).not.toBe(keyId)
    expect((await keys.revoke(keyId, {})).ok).toBe(true)
    expect([keys.requester(first.key), keys.requester(second.key)]).toEqual([undefined, requesterId])
    await open()
    expect([keys.requester(first.key), keys.requester(second.key)]).toEqual([undefined, requesterId])
    // Even when all its keys are gone it can be given another.
    await keys.revoke(second.record.keyId, {})
    const third = await issued({ name: 'third', roles: ['requester'], requesterId })
    expect(keys.requester(third.key)).toBe(requesterId)
  })

  test('ends at its expiry, to the millisecond', async () => {
    const expiresAtMs = clock.nowMs() + dayMs
    const { key } = await issued({ name: 'short', roles: ['requester'], expiresAtMs })
    clock.advance(dayMs - 1)
    expect(keys.requester(key)).toBeDefined()
    clock.advance(1)
    expect(keys.requester(key)).toBeUndefined()
  })

  test('may be narrower than its roles', async () => {
    const { record } = await issued({ name: 'reader', roles: ['requester'], scopes: ['tasks:read'] })
    expect([...record.held]).toEqual(['tasks:read'])
  })

  test('that could not be written is none', async () => {
    store.fail('diskFull', 'apiKeys')
    expect(keys.create('lost')).rejects.toThrow('disk')
    store.mend()
    expect([keys.count(), audit.head().sequence]).toEqual([0, 0])
    await keys.create('kept')
    expect([keys.count(), audit.head().sequence]).toEqual([1, 1])
  })
})

describe('is refused', () => {
  test('a requester that no key ever had', async () => {
    const requesterId = 'ab'.repeat(32)
    const result = await keys.issue({ name: 'x', roles: ['requester'], requesterId }, undefined, {})
    expect(result).toEqual({ ok: false, refusal: { kind: 'unknownRequester', requesterId } })
  })

  test('an expiry that has passed', async () => {
    const result = await keys.issue(
      { name: 'x', roles: ['admin'], expiresAtMs: clock.nowMs() },
      undefined,
      {},
    )
    expect(result).toMatchObject({ ok: false, refusal: { kind: 'expiryPassed' } })
  })

  test('a scope that the roles have not', async () => {
    const order = { name: 'x', roles: ['auditor'], scopes: ['audit:read', 'keys:manage'] } as const
    const result = await keys.issue(
      { ...order, roles: ['auditor'], scopes: [...order.scopes] },
      undefined,
      {},
    )
    expect(result).toMatchObject({ refusal: { kind: 'scopesBeyondRoles', scopes: ['keys:manage'] } })
  })

  test('a key that a narrowed key would widen itself by', async () => {
    const narrow = await issued({ name: 'narrow', roles: ['admin'], scopes: ['keys:manage', 'audit:read'] })
    const make = (roles: 'admin' | 'auditor', scopes?: 'audit:read') =>
      keys.issue({ name: 'x', roles: [roles], ...(scopes && { scopes: [scopes] }) }, narrow.record, {})
    expect(await make('admin')).toMatchObject({ refusal: { kind: 'scopeExceeded' } })
    expect(await make('auditor')).toMatchObject({ refusal: { kind: 'scopeExceeded' } })
    expect(await make('auditor', 'audit:read')).toMatchObject({ ok: true })
  })

  test('a key that would outlive the one it is made with', async () => {
    const expiresAtMs = clock.nowMs() + dayMs
    const brief = (await issued({ name: 'brief', roles: ['admin'], expiresAtMs })).record
    const make = (until?: number) =>
      keys.issue({ name: 'x', roles: ['admin'], ...(until && { expiresAtMs: until }) }, brief, {})
    for (const until of [undefined, expiresAtMs + 1]) {
      expect(await make(until)).toMatchObject({
        ok: false,
        refusal: { kind: 'expiryBeyondMaker', makerMs: expiresAtMs },
      })
    }
    expect(await make(expiresAtMs)).toMatchObject({ ok: true })
    clock.advance(dayMs)
    expect(await make(expiresAtMs + dayMs)).toMatchObject({
      refusal: { kind: 'makerEnded', state: 'expired' },
    })
  })

  test('a key whose maker was revoked while it waited for its turn', async () => {
    await issued({ name: 'other', roles: ['admin'] })
    const maker = (await issued({ name: 'maker', roles: ['admin'] })).record
    const revoking = keys.revoke(maker.keyId, {})
    const made = keys.issue({ name: 'late', roles: ['admin'] }, maker, {})
    expect(await revoking).toMatchObject({ ok: true })
    expect(await made).toMatchObject({ ok: false, refusal: { kind: 'makerEnded', state: 'revoked' } })
  })

  test('to revoke what is not there, or twice, or the last that manages keys', async () => {
    const admin = (await issued({ name: 'a', roles: ['admin'] })).record
    const brief = { name: 'b', roles: ['admin' as const], expiresAtMs: clock.nowMs() + dayMs }
    await issued(brief)
    expect(await keys.revoke('00'.repeat(32), {})).toMatchObject({ refusal: { kind: 'unknownKey' } })
    // One that expires does not count as the one that remains.
    expect(await keys.revoke(admin.keyId, {})).toMatchObject({ refusal: { kind: 'lastAdminKey' } })
    const other = (await issued({ name: 'c', roles: ['admin'] })).record
    // Asked for at the same moment, one of the two stays.
    const both = await Promise.all([keys.revoke(admin.keyId, {}), keys.revoke(other.keyId, {})])
    expect(both.map(({ ok }) => ok)).toEqual([true, false])
    expect(await keys.revoke(admin.keyId, {})).toMatchObject({ refusal: { kind: 'keyRevoked' } })
    expect(keys.isManaged()).toBe(true)
  })
})

test('keys of versions before roles become what they were, once, and it is in the log', async () => {
  const old = ['shardy_first', 'shardy_other'].map((key, index) => {
    const hash = encodeHex(sha256(domainPayload('api-key', new TextEncoder().encode(key)))) as RequesterId
    const name = index === 0 ? firstKeyName : 'a name of thirty-two characters.'
    return { key, record: { requesterId: hash, name, createdAtMs: (1_000 + index) as TimeMs } }
  })
  for (const { record } of old) {
    const value = keyRecordBeforeRoles.encode(record)
    await store.write([{ kind: 'put', table: 'apiKeys', key: idKey(record.requesterId), value }], {
      sync: true,
    })
  }
  for (let start = 0; start < 2; start++) {
    await open()
    for (const { key, record } of old) expect(keys.requester(key)).toBe(record.requesterId)
    expect(keys.find('shardy_first')?.roles).toEqual(['requester', 'admin'])
    expect(keys.find('shardy_other')?.roles).toEqual(['requester'])
    expect(audit.head().sequence).toBe(2)
  }
  const records = (await audit.page(0, 10)).map((record) => auditToJson(record, sha256))
  expect(records.map(({ action }) => action)).toEqual(['keyConverted', 'keyConverted'])
  expect(followChain({ sequence: 0, hash: auditStart }, records, sha256)).toEqual({
    ok: true,
    head: audit.head(),
  })
})

test('a page goes on where the one before ended', async () => {
  for (let index = 0; index < 7; index++) await keys.create(`key ${index}`)
  const seen: string[] = []
  for (let cursor = ''; ; ) {
    const page = keys.page(3, cursor)
    seen.push(...page.map(({ keyId }) => keyId))
    if (page.length < 3) break
    cursor = page.at(-1)?.keyId ?? ''
  }
  expect([seen.length, new Set(seen).size]).toEqual([7, 7])
  expect(seen).toEqual([...seen].sort())
})
