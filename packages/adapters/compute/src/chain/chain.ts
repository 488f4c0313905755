/**
 * An admission benchmark as it is run and as it is checked (docs/spec/benchmark.md). Time is taken by neither: it is the asker who
 * knows when the seed went out and when the root came back.
 */
import {
  type Benchmark,
  beginChain,
  type Cell,
  type ChainCommitment,
  createCellReader,
  type Opening,
  segmentsOf,
} from '@shardy/chain'
import type { Digest, Sha256 } from '@shardy/protocol'
import { type Executor, throwIfAborted } from '../executor.ts'
import { openSegment } from './segment.ts'

export interface ChainOptions {
  readonly sha256: Sha256
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((permille: number) => void) | undefined
}

export async function runBenchmark(
  executor: Executor,
  benchmark: Benchmark,
  { sha256, signal, onProgress }: ChainOptions,
): Promise<ChainCommitment> {
  throwIfAborted(signal)
  const run = openSegment(benchmark, executor, sha256)
  const chain = beginChain(benchmark, sha256)
  const segments = segmentsOf(benchmark)
  let done = 0
  for (let states = chain.next(); states !== undefined; states = chain.next()) {
    chain.take(await run(states, { signal }))
    throwIfAborted(signal)
    done++
    onProgress?.(Math.floor((1000 * done) / segments))
  }
  return chain.commit()
}

export type OpeningsVerdict =
  | { readonly kind: 'right' }
  /** For certain: the worker did not compute what its root says, or opens something else. */
  | { readonly kind: 'wrong'; readonly reason: string }

export interface OpeningsCheck {
  readonly benchmark: Benchmark
  readonly root: Digest
  readonly drawn: readonly Cell[]
  readonly openings: readonly Opening[]
}

/** Computes the drawn cells again, all in one run of as many rows. A device that fails makes this reject: that is no verdict. */
export async function checkOpenings(
  executor: Executor,
  { benchmark, root, drawn, openings }: OpeningsCheck,
  { sha256, signal }: ChainOptions,
): Promise<OpeningsVerdict> {
  if (openings.length !== drawn.length) {
    return { kind: 'wrong', reason: `${openings.length} cells were opened, ${drawn.length} were drawn` }
  }
  if (drawn.length === 0) throw new RangeError('a check draws one cell at least')
  const { width } = benchmark
  const reader = createCellReader(benchmark, root, sha256)
  const inputs = new Uint8Array(drawn.length * width)
  const outputs = new Uint8Array(drawn.length * width)
  for (const [index, cell] of drawn.entries()) {
    const read = reader.read(cell, openings[index] as Opening)
    if (!read.ok) return { kind: 'wrong', reason: read.reason }
    inputs.set(read.input, index * width)
    outputs.set(read.output, index * width)
  }
  const computed = await openSegment(benchmark, executor, sha256)(inputs, { signal })
  const at = computed.findIndex((byte, index) => byte !== outputs[index])
  if (at < 0) return { kind: 'right' }
  const cell = drawn[Math.floor(at / width)] as Cell
  return {
    kind: 'wrong',
    reason: `row ${cell.row} of segment ${cell.segment} ends otherwise when computed again`,
  }
}
