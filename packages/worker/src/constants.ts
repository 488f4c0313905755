/**
 * Constants that programs name by digest, weights above all: fetched once from the orchestrator, compared with their
 * digest, and kept for the next task while they fit. Whoever asks for one that is on its way waits for the same bytes.
 */
import { type DeliveryId, type Digest, encodeHex, type Sha256 } from '@shardy/protocol'
import { type Blobs, byteLengthOf, type Program } from '@shardy/tensor'
import { readAtMost } from './readAtMost.ts'

export class ConstantError extends Error {
  override readonly name = 'ConstantError'
}

/** Brings the bytes of one constant, at most so many, for a delivery that is open. */
export type FetchConstant = (
  deliveryId: DeliveryId,
  digest: Digest,
  bytesMax: number,
  signal: AbortSignal,
) => Promise<Uint8Array>

export interface Constants {
  /** All that the program names, or a `ConstantError` that says which one is missing or wrong. */
  obtain(deliveryId: DeliveryId, program: Program, signal: AbortSignal): Promise<Blobs>
}

export interface ConstantLimits {
  /** What is kept beyond the work in hand. */
  readonly bytesMax: number
}

export const defaultConstantLimits: ConstantLimits = { bytesMax: 512 * 2 ** 20 }

export function createConstants(
  fetchConstant: FetchConstant,
  sha256: Sha256,
  { bytesMax }: ConstantLimits = defaultConstantLimits,
): Constants {
  /** The least recently used first. */
  const kept = new Map<Digest, Uint8Array>()
  let keptBytes = 0
  const coming = new Map<Digest, Promise<Uint8Array>>()

  function keep(digest: Digest, bytes: Uint8Array): void {
    const before = kept.get(digest)
    kept.delete(digest)
    kept.set(digest, bytes)
    keptBytes += bytes.length - (before?.length ?? 0)
    for (const [oldest, { length }] of kept) {
      if (keptBytes <= bytesMax) return
      kept.delete(oldest)
      keptBytes -= length
    }
  }

  async function bring(
    deliveryId: DeliveryId,
    digest: Digest,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const bytes = kept.get(digest) ?? (await fetched(deliveryId, digest, length, signal))
    if (bytes.length !== length) {
      throw new ConstantError(`constant ${digest} has ${bytes.length} bytes, the program says ${length}`)
    }
    keep(digest, bytes)
    return bytes
  }

  /** From the line, once for all who ask meanwhile; an abort of the first ends the others' waiting too. */
  function fetched(
    deliveryId: DeliveryId,
    digest: Digest,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const earlier = coming.get(digest)
    if (earlier !== undefined) return earlier
    const now = fetchConstant(deliveryId, digest, length, signal)
      .then((bytes) => {
        if (encodeHex(sha256(bytes)) === digest) return bytes
        throw new ConstantError(`constant ${digest} came with other bytes`)
      })
      .finally(() => coming.delete(digest))
    coming.set(digest, now)
    return now
  }

  return {
    async obtain(deliveryId, { constants }, signal) {
      const blobs = new Map<Digest, Uint8Array>()
      // One after the other: a tab has one line, and whoever came first is to be served first.
      for (const { type, digest } of constants) {
        if (digest === undefined || blobs.has(digest)) continue
        blobs.set(digest, await bring(deliveryId, digest, byteLengthOf(type), signal))
      }
      return blobs
    },
  }
}

/** Over HTTP from the orchestrator that gave the delivery, whose id opens the way. Its address may be the socket's. */
export function fetchConstants(orchestratorUrl: string): FetchConstant {
  return async (deliveryId, digest, bytesMax, signal) => {
    const url = new URL(`/v1/deliveries/${deliveryId}/constants/${digest}`, orchestratorUrl)
    url.protocol = url.protocol.replace('ws', 'http')
    let response: Response
    try {
      response = await fetch(url, { signal })
      if (!response.ok)
        throw new ConstantError(`constant ${digest} is not given out: HTTP ${response.status}`)
      const bytes = await readAtMost(response, bytesMax)
      if (bytes !== undefined) return bytes
      throw new ConstantError(`constant ${digest} has more than the ${bytesMax} bytes that the program says`)
    } catch (cause) {
      if (cause instanceof ConstantError) throw cause
      throw new ConstantError(`constant ${digest} cannot be fetched: ${cause}`, { cause })
    }
  }
}
