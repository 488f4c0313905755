/** A raw worker's part in its benchmarks: honest, or with a change to what it says. */
import { cellAt, decodeBenchmark, encodeOpening } from '@shardy/chain'
import { createCpuExecutor, runBenchmark } from '@shardy/compute'
import { sha256 } from '@shardy/crypto/native'
import {
  type Benchmark,
  type BenchmarkOpening,
  type BenchmarkRoot,
  encodeFrame,
  type Frame,
} from '@shardy/protocol'
import type { RawWorker } from './rawWorker.ts'

export interface Answering {
  /** What it says that it has touched. */
  readonly stableBytes?: number
  root?(body: BenchmarkRoot): BenchmarkRoot
  opening?(body: BenchmarkOpening, place: number): BenchmarkOpening
}

const executor = createCpuExecutor()

/** Computes what is asked until something else is said: `admitted`, or the refusal. */
export async function answerBenchmarks(
  worker: RawWorker,
  { stableBytes = 0, root = (body) => body, opening = (body) => body }: Answering = {},
): Promise<Extract<Frame, { readonly type: 'admitted' | 'refusal' }>> {
  for (;;) {
    const asked = await worker.nextOf('benchmark', 'admitted', 'refusal')
    if (asked.type !== 'benchmark') return asked
    const commitment = await commit(asked.body)
    const { benchmarkId } = asked.body
    worker.send(encodeFrame('benchmarkRoot', root({ benchmarkId, root: commitment.chain.root, stableBytes })))
    const then = await worker.nextOf('benchmark', 'benchmarkOpen', 'admitted', 'refusal')
    if (then.type === 'benchmarkOpen') {
      for (const [place, index] of then.body.indexes.entries()) {
        const bytes = encodeOpening(commitment.chain.open(cellAt(commitment.benchmark, index)))
        worker.send(encodeFrame('benchmarkOpening', opening({ benchmarkId, index, opening: bytes }, place)))
      }
    } else if (then.type === 'benchmark') worker.putBack(then)
    else return then
  }
}

export async function commit({ parameters }: Benchmark) {
  const decoded = decodeBenchmark(parameters)
  if (!decoded.ok) throw new Error('the orchestrator asked for a broken benchmark')
  return { benchmark: decoded.value, chain: await runBenchmark(executor, decoded.value, { sha256 }) }
}
