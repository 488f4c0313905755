/**
 * P-256 public keys ready for WebCrypto. Importing a key costs more than a verification and the same few parties
 * speak all the time, so the last used ones are kept.
 */
import { encodeHex, type PublicKey } from '@shardy/protocol'
import { createRecent } from './recent.ts'

export const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const
const cached = createRecent<string, CryptoKey>(256)

/** Undefined when the bytes are not a point on the curve. */
export async function importPublicKey(publicKey: Uint8Array): Promise<CryptoKey | undefined> {
  if (publicKey.length !== 65 || publicKey[0] !== 4) return undefined
  const name = encodeHex(publicKey)
  const known = cached.get(name)
  if (known !== undefined) return known
  try {
    // A copy: WebCrypto refuses shared memory, and the caller's bytes may change while it reads them.
    const key = await crypto.subtle.importKey('raw', new Uint8Array(publicKey), curve, true, ['verify'])
    cached.set(name, key)
    return key
  } catch {
    return undefined
  }
}

export async function exportPublicKey(key: CryptoKey): Promise<PublicKey> {
  return new Uint8Array(await crypto.subtle.exportKey('raw', key)) as PublicKey
}
