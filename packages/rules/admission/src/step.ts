/** Admission decided: one input at a time, to its end. Its effects are carried out in order. */

import { type Candidate, newCandidate } from './candidate.ts'
import type { Effect } from './effect.ts'
import type { Input, InputOf } from './input.ts'
import { drop } from './leaving.ts'
import { expire, takeOpenings, takeRoot, takeVerdict } from './measuring.ts'
import { openRound, startRound, startRoundIfReady } from './round.ts'
import type { AdmissionState } from './state.ts'
import { advanceDue, becomeDue, fill, mayBegin, want } from './waiting.ts'

export function step(state: AdmissionState, input: Input): readonly Effect[] {
  state.effects = []
  // A clock that is set back must not make times negative.
  state.atMs = Math.max(state.atMs, input.atMs)
  decide(state, input)
  return state.effects
}

function decide(state: AdmissionState, input: Input): void {
  switch (input.kind) {
    case 'arrived':
      return arrive(state, input)
    case 'root':
      return takeRoot(state, input)
    case 'opened':
      return takeOpenings(state, input)
    case 'judged':
      return takeVerdict(state, input)
    case 'tick':
      return tick(state)
    default:
      return about(state, input)
  }
}

function arrive(state: AdmissionState, { workerId, likeness, roundTripMs }: InputOf<'arrived'>): void {
  const earlier = state.workers.get(workerId)
  if (earlier !== undefined) drop(state, earlier)
  const refuse = (code: 'benchmarkFailed' | 'overloaded', message: string): void => {
    state.effects.push({ kind: 'refuse', workerId, code, message })
  }
  const untilMs = state.keptOut.get(workerId) ?? 0
  if (untilMs > state.atMs) {
    return refuse('benchmarkFailed', `your last benchmark failed; come back in ${untilMs - state.atMs} ms`)
  }
  state.keptOut.delete(workerId)
  const { waitingMax } = state.policy
  const candidate = newCandidate(workerId, likeness, roundTripMs)
  state.line.add(candidate)
  state.workers.set(workerId, candidate)
  fill(state)
  if (!state.line.has(candidate)) return
  const position = state.line.size
  if (position <= waitingMax) {
    state.effects.push({ kind: 'wait', workerId, position })
    return
  }
  refuse('overloaded', `${waitingMax} workers wait to be measured already; come back in a moment`)
  drop(state, candidate)
}

type About = Exclude<Input, InputOf<'arrived' | 'root' | 'opened' | 'judged' | 'tick'>>

function about(state: AdmissionState, input: About): void {
  const candidate = state.workers.get(input.workerId)
  if (candidate === undefined) {
    state.effects.push({ kind: 'ignored', reason: 'unknownWorker' })
    return
  }
  const { phase } = candidate
  switch (input.kind) {
    case 'left':
      return drop(state, candidate)
    case 'changed':
      candidate.likeness = input.likeness
      return want(state, candidate, 'profile')
    case 'wanted':
      return want(state, candidate, input.reason)
    case 'quiet': {
      if (phase.kind !== 'holding') {
        state.effects.push({ kind: 'ignored', reason: 'nothingChanged' })
        return
      }
      if (phase.round !== undefined) {
        phase.round.ready.add(candidate)
        return startRoundIfReady(state)
      }
      candidate.phase = { kind: 'inLine', reason: phase.reason }
      state.line.add(candidate)
      return fill(state)
    }
    case 'presence':
      candidate.presence = input.state
      return changePresence(state, candidate)
  }
}

/** Whoever may not be measured now is let go; what it is wanted for stays due. */
function changePresence(state: AdmissionState, candidate: Candidate): void {
  const { phase, presence, measurement, workerId } = candidate
  if (mayBegin(candidate)) advanceDue(state, candidate)
  if (presence !== 'available' && phase.kind === 'underway') phase.attempt.isSpoiled = true
  if (mayBegin(candidate) || phase.kind === 'idle' || phase.kind === 'due') return
  // What runs already goes on; the first one cannot, where nothing is computed.
  if (phase.kind === 'underway' && measurement !== undefined) return
  state.line.delete(candidate)
  state.underway.delete(candidate)
  if (measurement !== undefined) state.effects.push({ kind: 'release', workerId })
  const { reason } = phase.kind === 'underway' ? phase.attempt : phase
  becomeDue(state, candidate, reason, state.atMs)
  if (phase.kind === 'holding' && phase.round !== undefined) {
    phase.round.members.delete(candidate)
    phase.round.ready.delete(candidate)
    startRoundIfReady(state)
  }
  fill(state)
}

function tick(state: AdmissionState): void {
  expire(state)
  for (const candidate of [...state.due]) advanceDue(state, candidate)
  if (state.round !== undefined && state.round.untilMs <= state.atMs) startRound(state, state.round)
  if (state.nextRoundMs !== undefined && state.nextRoundMs <= state.atMs) openRound(state)
}

/** When the next `tick` is due; undefined while only an input can change anything. */
export function nextDueMs(state: AdmissionState): number | undefined {
  let dueMs = Math.min(
    state.nextRoundMs ?? Number.POSITIVE_INFINITY,
    state.round?.untilMs ?? Number.POSITIVE_INFINITY,
  )
  for (const { phase } of state.underway) {
    if (phase.kind === 'underway') dueMs = Math.min(dueMs, phase.attempt.dueMs ?? dueMs)
  }
  for (const candidate of state.due) {
    const { phase } = candidate
    if (phase.kind === 'due' && mayBegin(candidate)) dueMs = Math.min(dueMs, phase.notBeforeMs)
  }
  return dueMs === Number.POSITIVE_INFINITY ? undefined : dueMs
}
