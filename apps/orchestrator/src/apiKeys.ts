/**
 * API keys. Only the hash of a key is kept; it is also the requester's id, so a receipt or a log can name a requester
 * without being able to act as one.
 */
import { domainPayload, encodeHex, type RequesterId, type Sha256 } from '@shardy/protocol'
import type { Store } from '@shardy/storage'
import type { Clock } from './clock.ts'
import { type ApiKeyRecord, apiKeyRecord, idKey, type Table } from './tables.ts'
import { decodeRecord } from './tasks/archive.ts'

export interface ApiKeys {
  /** Who a presented key belongs to. */
  requester(key: string): RequesterId | undefined
  /** A new key, shown once. */
  create(name: string): Promise<string>
  count(): number
}

export async function openApiKeys(
  store: Store<Table>,
  clock: Clock,
  sha256: Sha256,
  randomHex: (bytes: number) => string,
): Promise<ApiKeys> {
  const known = new Map<RequesterId, ApiKeyRecord>()
  for await (const { value } of store.iterate('apiKeys')) {
    const record = decodeRecord(apiKeyRecord, value)
    known.set(record.requesterId, record)
  }
  const idOf = (key: string): RequesterId =>
    encodeHex(sha256(domainPayload('api-key', new TextEncoder().encode(key)))) as RequesterId

  return {
    requester(key) {
      // Keys carry 256 random bits and are compared by hash, so the look-up's timing tells nothing useful.
      const id = idOf(key)
      return known.has(id) ? id : undefined
    },
    async create(name) {
      const key = `shardy_${randomHex(32)}`
      const record = { requesterId: idOf(key), name, createdAtMs: clock.nowMs() }
      const value = apiKeyRecord.encode(record)
      await store.write([{ kind: 'put', table: 'apiKeys', key: idKey(record.requesterId), value }], {
        sync: true,
      })
      known.set(record.requesterId, record)
      return key
    },
    count: () => known.size,
  }
}
