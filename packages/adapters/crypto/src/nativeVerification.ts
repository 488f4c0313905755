/** `verifySignature` without the wait: the host's own crypto library, for servers that verify many in one turn. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { encodeHex, isSignature } from '@shardy/protocol'
import { createRecent } from './recent.ts'

const cached = createRecent<string, KeyObject>(4096)

function importKey(publicKey: Uint8Array): KeyObject | undefined {
  if (publicKey.length !== 65 || publicKey[0] !== 4) return undefined
  const name = encodeHex(publicKey)
  const known = cached.get(name)
  if (known !== undefined) return known
  const x = Buffer.from(publicKey.subarray(1, 33)).toString('base64url')
  const y = Buffer.from(publicKey.subarray(33)).toString('base64url')
  try {
    const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
    cached.set(name, key)
    return key
  } catch {
    return undefined // Not a point on the curve.
  }
}

export function verifySignatureSync(
  publicKey: Uint8Array,
  payload: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!isSignature(signature)) return false
  const key = importKey(publicKey)
  return key !== undefined && verify('sha256', payload, { key, dsaEncoding: 'ieee-p1363' }, signature)
}
