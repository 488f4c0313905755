/** Where rows begin, and how they are told apart at the beginning of every segment (docs/spec/benchmark.md, N4 and N6). */
import type { Sha256 } from '@shardy/protocol'
import { expand, hash, tags } from './hash.ts'
import type { Benchmark } from './parameters.ts'

/** The matrix of a product chain, width × width entries of int8, row by row. */
export function matrixOf({ width }: Benchmark, start: Uint8Array, sha256: Sha256): Uint8Array {
  return expand(tags.matrix, start, width * width, sha256)
}

/** The state that all rows have before the first mark. */
export function baseOf({ width }: Benchmark, start: Uint8Array, sha256: Sha256): Uint8Array {
  return expand(tags.base, start, width, sha256)
}

/** Combines the mark of a row into its first 32 bytes, in place. `checkpoint` is the root of all rows as they are before. */
export function markRow(
  state: Uint8Array,
  checkpoint: Uint8Array,
  segment: number,
  row: number,
  sha256: Sha256,
): void {
  const mark = hash(tags.mark, sha256, checkpoint, segment, row)
  for (const [index, byte] of mark.entries()) state[index] = (state[index] as number) ^ byte
}
