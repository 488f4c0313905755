/**
 * What requesters' webhooks are signed with, under the names that their manifests say. A secret lies in the store as it is,
 * because a signature needs it; it is never shown again, and no log can hold it.
 */
import { type Digest, encodeHex, type RequesterId, type Sha256 } from '@shardy/protocol'
import { type Operation, prefixRange, type Store } from '@shardy/storage'
import { idKey, type Table } from '../../tables.ts'

export type SecretRefusal = 'conflict' | 'missing' | 'tooMany'

export interface WebhookSecrets {
  /** What to write so that the secret is there, which may be nothing; or why it cannot be. */
  offer(
    requesterId: RequesterId,
    name: string,
    secret: Uint8Array | undefined,
  ): Promise<
    | { readonly ok: true; readonly operations: readonly Operation<Table>[] }
    | { readonly ok: false; readonly refusal: SecretRefusal }
  >
  get(requesterId: RequesterId, name: string): Promise<Uint8Array | undefined>
  /** False when there was none. What still is to be signed with it fails until it is given up. */
  forget(requesterId: RequesterId, name: string): Promise<boolean>
}

export const secretsPerRequesterMax = 100

export function createWebhookSecrets(store: Store<Table>, sha256: Sha256): WebhookSecrets {
  const keyOf = (requesterId: RequesterId, name: string): Uint8Array =>
    idKey(requesterId, encodeHex(sha256(new TextEncoder().encode(name))) as Digest)

  async function isFull(requesterId: RequesterId): Promise<boolean> {
    let count = 0
    const range = { ...prefixRange(idKey(requesterId)), limit: secretsPerRequesterMax }
    for await (const _ of store.iterate('webhookSecrets', range)) count++
    return count >= secretsPerRequesterMax
  }

  return {
    async offer(requesterId, name, secret) {
      const key = keyOf(requesterId, name)
      const known = await store.get('webhookSecrets', key)
      if (known === undefined && secret === undefined) return { ok: false, refusal: 'missing' }
      if (known !== undefined || secret === undefined) {
        const isSame = secret === undefined || (known !== undefined && Buffer.compare(known, secret) === 0)
        return isSame ? { ok: true, operations: [] } : { ok: false, refusal: 'conflict' }
      }
      if (await isFull(requesterId)) return { ok: false, refusal: 'tooMany' }
      return { ok: true, operations: [{ kind: 'put', table: 'webhookSecrets', key, value: secret }] }
    },
    get: (requesterId, name) => store.get('webhookSecrets', keyOf(requesterId, name)),
    async forget(requesterId, name) {
      const key = keyOf(requesterId, name)
      if ((await store.get('webhookSecrets', key)) === undefined) return false
      await store.write([{ kind: 'delete', table: 'webhookSecrets', key }], { sync: true })
      return true
    },
  }
}
