/**
 * The worker's side of a chain: what each segment begins with, what was left at every checkpoint, one root over all of it, and
 * the openings (docs/spec/benchmark.md, N6 to N9). How a segment is computed is the caller's affair.
 */
import { type Digest, encodeHex, merkleLeaf, type Sha256 } from '@shardy/protocol'
import type { Cell, OpenedRow, Opening } from './opening.ts'
import { type Benchmark, segmentsOf, startOf } from './parameters.ts'
import { baseOf, markRow } from './state.ts'
import { createTree, type Tree } from './tree.ts'

export interface ChainCommitment {
  readonly root: Digest
  /** The root of the last checkpoint. */
  readonly finalDigest: Digest
  open(cell: Cell): Opening
}

export interface Chain {
  /** All rows as the next segment begins, one after the other; undefined after the last. The caller's to change. */
  next(): Uint8Array | undefined
  /** All rows as that segment ends. Kept without a copy. */
  take(states: Uint8Array): void
  /** Once every segment is taken. */
  commit(): ChainCommitment
}

export function beginChain(benchmark: Benchmark, sha256: Sha256): Chain {
  const { rows, width } = benchmark
  const segments = segmentsOf(benchmark)
  const start = startOf(benchmark, sha256)
  const kept: { readonly states: Uint8Array; readonly tree: Tree }[] = []
  const rowOf = (states: Uint8Array, row: number) => states.subarray(row * width, (row + 1) * width)

  function begin(): Uint8Array {
    const last = kept.at(-1)
    if (last !== undefined) return last.states.slice()
    const states = new Uint8Array(rows * width)
    const base = baseOf(benchmark, start, sha256)
    for (let row = 0; row < rows; row++) states.set(base, row * width)
    return states
  }

  return {
    next() {
      const segment = kept.length
      if (segment === segments) return undefined
      const states = begin()
      const checkpoint = kept.at(-1)?.tree.root ?? start
      for (let row = 0; row < rows; row++) markRow(rowOf(states, row), checkpoint, segment, row, sha256)
      return states
    },
    take(states) {
      if (states.length !== rows * width || kept.length === segments) {
        throw new RangeError(`${states.length} bytes after ${kept.length} of ${segments} segments`)
      }
      const leaves = Array.from({ length: rows }, (_, row) => merkleLeaf(rowOf(states, row), sha256))
      kept.push({ states, tree: createTree(leaves, sha256) })
    },
    commit() {
      const last = kept.at(-1)
      if (last === undefined || kept.length < segments)
        throw new Error(`${kept.length} of ${segments} segments`)
      const above = createTree(
        kept.map(({ tree }) => merkleLeaf(tree.root, sha256)),
        sha256,
      )
      const hexOf = (path: readonly Uint8Array[]) => path.map((hash) => encodeHex(hash) as Digest)
      const openRow = (row: number, segment: number): OpenedRow => {
        const at = kept[segment]
        if (at === undefined) throw new RangeError(`segment ${segment} of ${segments}`)
        const state = rowOf(at.states, row).slice()
        return { state, rowPath: hexOf(at.tree.path(row)), checkpointPath: hexOf(above.path(segment)) }
      }
      return {
        root: encodeHex(above.root) as Digest,
        finalDigest: encodeHex(last.tree.root) as Digest,
        open: ({ segment, row }) => ({
          segment,
          row,
          before: segment === 0 ? undefined : openRow(row, segment - 1),
          after: openRow(row, segment),
        }),
      }
    },
  }
}
