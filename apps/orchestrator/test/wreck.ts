/** Frames that no worker would send: random bytes, and frames of a real conversation with a few bytes changed. */
import { encodeFrame, frames, type Signature } from '@shardy/protocol'
import { rawProfile } from './rawWorker.ts'

const numbers = Object.values(frames).map(({ number }) => number)

export type Random = (below: number) => number

/** xorshift32: a seed gives the same frames again. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

export function randomFrame(random: Random): Uint8Array {
  const bytes = new Uint8Array(random(200))
  for (let index = 0; index < bytes.length; index++) bytes[index] = random(256)
  // Half of them at least begin as a frame of ours does.
  if (bytes.length > 0 && random(2) === 0) bytes[0] = numbers[random(numbers.length)] ?? 0
  return bytes
}

export function mutated(frame: Uint8Array, random: Random): Uint8Array {
  const bytes = Array.from(frame)
  for (let count = 1 + random(3); count > 0; count--) {
    const at = random(bytes.length + 1)
    switch (random(4)) {
      case 0:
        bytes.splice(at, 1)
        break
      case 1:
        bytes.splice(at, 0, random(256))
        break
      case 2:
        bytes.length = at
        break
      default:
        bytes[at] = random(256)
    }
  }
  return Uint8Array.from(bytes, (byte) => byte ?? 0)
}

/** One of each kind that a worker sends, about a delivery. */
export function workerFrames(deliveryId: string): readonly Uint8Array[] {
  const about = { deliveryId: deliveryId as never }
  const digest = 'ab'.repeat(32) as never
  const signature = new Uint8Array(64).fill(1) as Signature
  const attestation = { signature, index: 0, count: 1, path: [] }
  const proof = { kind: 'v2', verifierVersion: 2, proof: new Uint8Array(256) } as const
  const salt = 'ab'.repeat(32)
  const result = {
    ...about,
    outputDigest: digest,
    outputLength: 4,
    attestation,
    traceRoot: digest,
    salt,
    proof,
  }
  const batched = {
    ...about,
    outputDigest: digest,
    output: new Uint8Array(4),
    salt,
    traceRoot: digest,
    leaf: digest,
    proof,
  }
  return [
    encodeFrame('heartbeat', { sequence: 1, inFlight: 0 }),
    encodeFrame('presence', { state: 'hidden' }),
    encodeFrame('ack', about),
    encodeFrame('progress', { ...about, permille: 500 }),
    encodeFrame('reject', { ...about, reason: 'busy', message: 'later' }),
    encodeFrame('commits', { commits: [{ ...about, commitment: digest }] }),
    encodeFrame('results', { results: [batched, batched], signature }),
    encodeFrame('result', { ...result, outputIncluded: false, partLengths: [] }),
    encodeFrame('result', { ...result, outputIncluded: true, partLengths: [2, 3] }),
    encodeFrame('profileV2', rawProfile),
    encodeFrame('benchmarkRoot', { benchmarkId: 'ab'.repeat(16), root: digest, stableBytes: 0 }),
    encodeFrame('benchmarkOpening', { benchmarkId: 'ab'.repeat(16), index: 0, opening: new Uint8Array(9) }),
  ]
}
