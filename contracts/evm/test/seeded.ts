// Numbers that a seed names for ever: SHA-256 of the seed and a counter.

import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

export type Seeded = {
  /** From 0 to below the bound, which is far below 2^256 or a power of two. */
  below(bound: bigint): bigint
  index(length: number): number
}

export function seeded(seed: string): Seeded {
  let count = 0
  const below = (bound: bigint) => {
    count += 1
    return BigInt(`0x${bytesToHex(sha256(utf8ToBytes(`${seed} ${count}`)))}`) % bound
  }
  return { below, index: (length) => Number(below(BigInt(length))) }
}
