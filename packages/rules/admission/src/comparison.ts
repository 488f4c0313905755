/** What a worker shows alone and together with others (spec M14 to M17). */
import type { WorkerId } from '@shardy/protocol'
import type { Candidate } from './candidate.ts'
import type { Measurement, Shared } from './measurement.ts'
import type { AdmissionState } from './state.ts'

type Shown = Pick<Measurement, 'operationsPerSecond' | 'soloOperationsPerSecond' | 'shared'>

export function conclude(
  state: AdmissionState,
  candidate: Candidate,
  rate: number,
  together: ReadonlySet<WorkerId> | undefined,
): Shown {
  const { measurement, workerId } = candidate
  const shared = measurement === undefined ? state.remembered.get(workerId) : measurement.shared
  // A chain of another kind is no measure of this one.
  const solo =
    measurement?.chain === candidate.likeness.chain ? measurement.soloOperationsPerSecond : undefined
  if (together === undefined || solo === undefined) return shownOf(rate, shared)
  if (rate * 1_000 < solo * state.policy.sharedPermille) {
    const others = new Set(together)
    others.delete(workerId)
    const lower = shared !== undefined && shared.operationsPerSecond <= rate
    return shownOf(solo, lower ? shared : { operationsPerSecond: rate, with: others })
  }
  return shownOf(Math.max(solo, rate), isCleared(state, shared, together) ? undefined : shared)
}

function shownOf(solo: number, shared: Shared | undefined): Shown {
  const operationsPerSecond = Math.min(solo, shared?.operationsPerSecond ?? solo)
  return { operationsPerSecond, soloOperationsPerSecond: solo, shared }
}

/** Fast again beside all of those it was slow with, as far as they are still here. */
function isCleared(
  { workers }: AdmissionState,
  shared: Shared | undefined,
  together: ReadonlySet<WorkerId>,
): boolean {
  if (shared === undefined) return true
  for (const other of shared.with) {
    if (workers.get(other)?.measurement !== undefined && !together.has(other)) return false
  }
  return true
}
