/**
 * What every SHA-256 implementation offers: the one-shot function that rules are given, and an incremental hash for
 * bytes that arrive in pieces. All three implementations pass the suite in `hashing.test.ts`.
 */
import type { Sha256 } from '@shardy/protocol'

/** One hash in the making. Any number may be in the making at once, and their updates may interleave. */
export interface Hash {
  update(bytes: Uint8Array): Hash
  /** Ends the hash; using it again afterwards is a bug and throws. */
  digest(): Uint8Array
}

export interface Hashing {
  readonly sha256: Sha256
  createHash(): Hash
}

export class HashEndedError extends Error {
  override readonly name = 'HashEndedError'
  constructor() {
    super('this hash has given its digest already')
  }
}
