/**
 * Whether a result is audited is drawn from the orchestrator's secret (spec A10): the same after a restart, and as
 * good as random to everybody who does not hold the secret.
 */
import { type DeliveryId, type Digest, decodeHex, type Sha256 } from '@shardy/protocol'

const label = 'shardy/audit-draw/v1'
const headLength = label.length + 1
const secretLength = 32

/** A whole number below 2^32. */
export function drawOf(
  secret: Uint8Array,
  deliveryId: DeliveryId,
  outputDigest: Digest,
  sha256: Sha256,
): number {
  if (secret.length !== secretLength)
    throw new RangeError(`a secret has ${secretLength} bytes, not ${secret.length}`)
  const delivery = decodeHex(deliveryId)
  const digest = decodeHex(outputDigest)
  if (delivery?.length !== 16 || digest?.length !== 32) {
    throw new RangeError(`not a delivery and a digest: ${deliveryId}, ${outputDigest}`)
  }
  const bytes = new Uint8Array(headLength + secretLength + 16 + 32)
  for (let index = 0; index < label.length; index++) bytes[index] = label.charCodeAt(index)
  bytes.set(secret, headLength)
  bytes.set(delivery, headLength + secretLength)
  bytes.set(digest, headLength + secretLength + 16)
  const hash = sha256(bytes)
  return new DataView(hash.buffer, hash.byteOffset).getUint32(0)
}
