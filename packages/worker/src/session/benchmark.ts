/**
 * The benchmark in hand (spec W40, W41): a chain is computed before any other work, its root sent, and its checkpoints kept until
 * some of them were asked for.
 */
import type { InputOf } from './input.ts'
import { change, nextRun, report, send, type Turn } from './turn.ts'
import { wireText } from './wireText.ts'

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

/** It is no longer wanted. */
export function dropBenchmark(turn: Turn): void {
  const { benchmark: held } = turn.state
  if (held === undefined) return
  if (held.phase.kind === 'running') turn.effects.push({ kind: 'abort', run: held.phase.run })
  change(turn, { benchmark: undefined })
}
