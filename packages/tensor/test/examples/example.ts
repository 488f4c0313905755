/** What a hand-made program comes with: weights and an input that are pseudo-random, but the same every time. */
import { type Digest, encodeHex, type Sha256 } from '@shardy/protocol'
import type { Program } from '../../src/program/program.ts'

export interface Example {
  readonly program: Program
  readonly input: Uint8Array
  readonly blobs: ReadonlyMap<Digest, Uint8Array>
}

/** Makes entries, and keeps as blobs those that a program names by digest. */
export interface Source {
  readonly blobs: ReadonlyMap<Digest, Uint8Array>
  /** Int8 entries from -bound to bound. */
  bytes(size: number, bound: number): Int8Array
  integers(size: number, bound: number): Int32Array
  blob(entries: Int8Array): Digest
}

export function createSource(seed: number, sha256: Sha256): Source {
  const blobs = new Map<Digest, Uint8Array>()
  let state = seed
  /** Mulberry32: small, and every step is 32-bit integer arithmetic. */
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const within = (bound: number) => (next() % (2 * bound + 1)) - bound
  return {
    blobs,
    bytes: (size, bound) => Int8Array.from({ length: size }, () => within(bound)),
    integers: (size, bound) => Int32Array.from({ length: size }, () => within(bound)),
    blob(entries) {
      const bytes = new Uint8Array(entries.buffer)
      const digest = encodeHex(sha256(bytes)) as Digest
      blobs.set(digest, bytes)
      return digest
    },
  }
}

/**
 * The factor that brings a sum of `terms` products down to a spread of about 40 of 127, where bytes are used well: entries up
 * to a bound spread by bound / √3, and sums by the root of their number.
 */
export function spreadFactor(terms: number, leftBound: number, rightBound: number): number {
  return (3 * 40) / (leftBound * rightBound * Math.sqrt(terms))
}
