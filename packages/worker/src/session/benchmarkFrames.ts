/** What the orchestrator says of benchmarks (spec W40, W42): compute this one, and show these cells of it. */
import { cellAt, decodeBenchmark, encodeOpening, segmentsOf } from '@shardy/chain'
import { type Benchmark, type BenchmarkOpen, describeRefusal } from '@shardy/protocol'
import { dropBenchmark } from './benchmark.ts'
import { lose } from './connection.ts'
import { startNext } from './execution.ts'
import { change, send, type Turn } from './turn.ts'

export function benchmarkAsked(turn: Turn, { benchmarkId, parameters }: Benchmark): void {
  const decoded = decodeBenchmark(parameters)
  if (!decoded.ok) return lose(turn, { kind: 'unusableBenchmark', text: describeRefusal(decoded.refusal) })
  dropBenchmark(turn)
  change(turn, { benchmark: { benchmarkId, benchmark: decoded.value, phase: { kind: 'waiting' } } })
  startNext(turn)
}

export function benchmarkOpened(turn: Turn, { benchmarkId, indexes }: BenchmarkOpen): void {
  const { benchmark: held } = turn.state
  // Of one that was given up: the frames crossed.
  if (held?.phase.kind !== 'done' || held.benchmarkId !== benchmarkId) return
  const { benchmark, phase } = held
  const cells = benchmark.rows * segmentsOf(benchmark)
  const beyond = indexes.find((index) => index >= cells)
  if (beyond !== undefined) {
    return lose(turn, { kind: 'unusableBenchmark', text: `cell ${beyond} of ${cells} is to be opened` })
  }
  change(turn, { benchmark: undefined })
  for (const index of indexes) {
    const opening = encodeOpening(phase.commitment.open(cellAt(benchmark, index)))
    send(turn, 'benchmarkOpening', { benchmarkId, index, opening })
  }
}
