/** How a worker goes: by itself, replaced by a newer connection, or refused. Nothing of it stays behind but what it showed. */
import type { Candidate } from './candidate.ts'
import type { Effect } from './effect.ts'
import { startRoundIfReady } from './round.ts'
import { type AdmissionState, remember } from './state.ts'
import { fill } from './waiting.ts'

type Code = Extract<Effect, { readonly kind: 'refuse' }>['code']

export function drop(state: AdmissionState, candidate: Candidate): void {
  const { workerId, phase, measurement } = candidate
  state.workers.delete(workerId)
  state.line.delete(candidate)
  state.underway.delete(candidate)
  state.due.delete(candidate)
  if (measurement !== undefined) {
    state.admitted--
    if (measurement.shared === undefined) state.remembered.delete(workerId)
    else remember(state.remembered, workerId, measurement.shared)
  }
  if (phase.kind === 'holding' && phase.round !== undefined) {
    phase.round.members.delete(candidate)
    phase.round.ready.delete(candidate)
    startRoundIfReady(state)
  }
  fill(state)
}

export function refuse(state: AdmissionState, candidate: Candidate, code: Code, message: string): void {
  const { workerId } = candidate
  state.effects.push({ kind: 'refuse', workerId, code, message })
  if (code === 'belowMinimum' || code === 'benchmarkFailed') {
    remember(state.keptOut, workerId, state.atMs + state.policy.keepOutMs)
  }
  drop(state, candidate)
}
