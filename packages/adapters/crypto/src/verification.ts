/** Verifies an ECDSA P-256 signature over SHA-256 of the payload. Whatever is malformed is simply not a signature. */
import { isSignature } from '@shardy/protocol'
import { importPublicKey } from './publicKey.ts'

/** Takes any bytes for key and signature; never throws over them. Spec S3: the high-s form is refused. */
export async function verifySignature(
  publicKey: Uint8Array,
  payload: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (!isSignature(signature)) return false
  const key = await importPublicKey(publicKey)
  if (key === undefined) return false
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
  return crypto.subtle.verify(algorithm, key, new Uint8Array(signature), new Uint8Array(payload))
}
