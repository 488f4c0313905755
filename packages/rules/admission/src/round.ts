/** Several workers asked at the same moment, those that may be one machine first (spec M13 to M15). */

import { begin } from './asking.ts'
import type { Candidate, Round } from './candidate.ts'
import { drawSome } from './draw.ts'
import type { AdmissionState } from './state.ts'
import { fill, knownRate, scheduleRound } from './waiting.ts'

export function openRound(state: AdmissionState): void {
  state.nextRoundMs = undefined
  if (state.round === undefined) gather(state, choose(state))
  scheduleRound(state)
}

function gather(state: AdmissionState, chosen: readonly Candidate[]): void {
  if (chosen.length === 0) return
  const round: Round = {
    members: new Set(chosen),
    ready: new Set(),
    untilMs: state.atMs + state.policy.gatherMs,
  }
  state.round = round
  for (const candidate of chosen) {
    candidate.phase = { kind: 'holding', reason: 'random', round }
    state.effects.push({ kind: 'hold', workerId: candidate.workerId })
  }
}

/** One at random, those it was slow with before, those that are like it, and at least a quarter others. */
function choose({ workers, policy, atMs, draws }: AdmissionState): readonly Candidate[] {
  const eligible = [...workers.values()].filter(
    ({ presence, measurement, phase }) =>
      presence === 'available' &&
      phase.kind === 'idle' &&
      measurement !== undefined &&
      measurement.measuredAtMs + policy.pauseMs <= atMs,
  )
  const [first] = drawSome(draws, eligible, 1)
  if (first === undefined) return []
  const chosen = new Set([first])
  const add = (from: readonly Candidate[], most: number): void => {
    const others = from.filter((each) => !chosen.has(each))
    for (const each of drawSome(draws, others, most - chosen.size)) chosen.add(each)
  }
  const companions = first.measurement?.shared?.with
  if (companions !== undefined)
    add(
      eligible.filter(({ workerId }) => companions.has(workerId)),
      policy.roundMax,
    )
  const likeMax = Math.ceil((3 * policy.roundMax) / 4)
  for (const group of first.likeness.groups) {
    add(
      eligible.filter(({ likeness }) => likeness.groups.includes(group)),
      likeMax,
    )
  }
  add(eligible, policy.roundMax)
  return [...chosen]
}

export function startRoundIfReady(state: AdmissionState): void {
  const { round } = state
  if (round !== undefined && round.ready.size === round.members.size) startRound(state, round)
}

export function startRound(state: AdmissionState, { members, ready }: Round): void {
  state.round = undefined
  const room = Math.max(0, state.policy.underwayMax - state.underway.size)
  const asked = [...ready].slice(0, room)
  const together = asked.length > 1 ? new Set(asked.map(({ workerId }) => workerId)) : undefined
  for (const candidate of members) {
    if (asked.includes(candidate)) continue
    candidate.phase = { kind: 'idle' }
    state.effects.push({ kind: 'release', workerId: candidate.workerId })
  }
  for (const candidate of asked) begin(state, candidate, knownRate(candidate), { reason: 'random', together })
  fill(state)
}
