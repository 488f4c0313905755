/**
 * Admission benchmarks (spec W40–W43): a chain is computed before any other work, its root sent, and its checkpoints kept
 * until some of them were asked for.
 */
import { cellAt, decodeBenchmark, encodeOpening, segmentsOf } from '@shardy/chain'
import { type BenchmarkOpen, describeRefusal, type Benchmark as Frame } from '@shardy/protocol'
import { lose } from './connection.ts'
import { startNext } from './execution.ts'
import type { InputOf } from './input.ts'
import { change, nextRun, report, send, type Turn } from './turn.ts'
import { wireText } from './wireText.ts'

export function benchmarkAsked(turn: Turn, { benchmarkId, parameters }: Frame): void {
  const decoded = decodeBenchmark(parameters)
  if (!decoded.ok) return lose(turn, { kind: 'unusableBenchmark', text: describeRefusal(decoded.refusal) })
  dropBenchmark(turn)
  change(turn, { benchmark: { benchmarkId, benchmark: decoded.value, phase: { kind: 'waiting' } } })
  startNext(turn)
}

/** False when none waits. A paused worker's waits until it goes on. */
export function startBenchmark(turn: Turn): boolean {
  const { benchmark: held, paused } = turn.state
  if (held?.phase.kind !== 'waiting' || paused) return false
  const run = nextRun(turn)
  change(turn, { executing: run, benchmark: { ...held, phase: { kind: 'running', run } } })
  report(turn, { kind: 'benchmark', phase: 'running' })
  turn.effects.push({ kind: 'runBenchmark', run, benchmark: held.benchmark })
  return true
}

export function benchmarkRun(turn: Turn, { run, commitment }: InputOf<'benchmarkRun'>): void {
  const { benchmark: held } = turn.state
  if (held?.phase.kind !== 'running' || held.phase.run !== run) return
  const { benchmarkId } = held
  change(turn, { benchmark: { ...held, phase: { kind: 'done', commitment } } })
  const { stableBytes } = turn.rules
  send(turn, 'benchmarkRoot', { benchmarkId, root: commitment.root, stableBytes })
  report(turn, { kind: 'benchmark', phase: 'answered' })
}

/** Nobody is told: the orchestrator gives up when its time is over, and may ask again. */
export function benchmarkNotRun(turn: Turn, { run, text }: InputOf<'benchmarkNotRun'>): void {
  const { benchmark: held } = turn.state
  if (held?.phase.kind !== 'running' || held.phase.run !== run) return
  change(turn, { benchmark: undefined })
  report(turn, { kind: 'benchmark', phase: 'failed', text: wireText(text, 256) })
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

/** It is no longer wanted. */
export function dropBenchmark(turn: Turn): void {
  const { benchmark: held } = turn.state
  if (held === undefined) return
  if (held.phase.kind === 'running') turn.effects.push({ kind: 'abort', run: held.phase.run })
  change(turn, { benchmark: undefined })
}
