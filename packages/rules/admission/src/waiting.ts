/** Who waits to be measured, for its turn or for the right moment (spec M5, M11, M13). */

import { begin } from './asking.ts'
import type { Candidate } from './candidate.ts'
import { drawWaitMs } from './draw.ts'
import type { Reason } from './measurement.ts'
import type { AdmissionState } from './state.ts'

/** As many as may be measured at once; those of a round that is gathering have their places. */
export function fill(state: AdmissionState): void {
  for (const candidate of state.line) {
    const reserved = state.round?.members.size ?? 0
    if (state.underway.size + reserved >= state.policy.underwayMax) return
    state.line.delete(candidate)
    if (candidate.phase.kind !== 'inLine') throw new Error('in line without being so')
    const { reason } = candidate.phase
    begin(state, candidate, knownRate(candidate), { reason, together: undefined })
  }
}

/** A chain of another kind says nothing about the speed of this one. */
export function knownRate({ measurement, likeness }: Candidate): number | undefined {
  return measurement?.chain === likeness.chain ? measurement.soloOperationsPerSecond : undefined
}

/** An admitted worker is to be measured anew, as soon as its last time is long enough ago. */
export function want(state: AdmissionState, candidate: Candidate, reason: Reason): void {
  const { phase, measurement } = candidate
  if (measurement === undefined) {
    // It is being measured for the first time; there is nothing that could have drifted.
    state.effects.push({ kind: 'ignored', reason: 'nothingChanged' })
    return
  }
  switch (phase.kind) {
    case 'idle':
      becomeDue(state, candidate, reason, measurement.measuredAtMs + state.policy.pauseMs)
      return advanceDue(state, candidate)
    case 'underway':
      if (reason !== 'drift') candidate.again = strongerOf(candidate.again, reason)
      return
    default:
      candidate.phase = { ...phase, reason: strongerOf(phase.reason, reason) }
  }
}

/** Quarantine is what a person wants to see of several reasons. */
function strongerOf(before: Reason | undefined, reason: Reason): Reason {
  return before === 'quarantine' ? before : reason
}

export function becomeDue(
  state: AdmissionState,
  candidate: Candidate,
  reason: Reason,
  notBeforeMs: number,
): void {
  candidate.phase = { kind: 'due', reason, notBeforeMs }
  state.due.add(candidate)
}

export function advanceDue(state: AdmissionState, candidate: Candidate): void {
  const { phase } = candidate
  if (phase.kind !== 'due' || !mayBegin(candidate) || phase.notBeforeMs > state.atMs) return
  state.due.delete(candidate)
  if (candidate.measurement === undefined) {
    candidate.phase = { kind: 'inLine', reason: phase.reason }
    state.line.add(candidate)
    return fill(state)
  }
  candidate.phase = { kind: 'holding', reason: phase.reason, round: undefined }
  state.effects.push({ kind: 'hold', workerId: candidate.workerId })
}

/** Who was never measured is measured hidden rather than not at all. */
export function mayBegin({ measurement, presence }: Candidate): boolean {
  return presence === 'available' || (presence === 'hidden' && measurement === undefined)
}

/** Memoryless, so that nobody knows when its next one is; drawn anew when there are many more workers. */
export function scheduleRound(state: AdmissionState): void {
  const { admitted, policy } = state
  const isDrawn = state.nextRoundMs !== undefined && admitted < 2 * state.roundDrawnFor
  if (admitted === 0 || isDrawn) return
  const meanMs = (policy.meanIntervalMs * Math.min(policy.roundMax, admitted)) / admitted
  state.nextRoundMs = state.atMs + drawWaitMs(state.draws, meanMs)
  state.roundDrawnFor = admitted
}
