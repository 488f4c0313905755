/** All that admission keeps, and the little that every rule does with it. It is the step's to change. */
import { encodeHex, type Sha256, type WorkerId } from '@shardy/protocol'
import type { Candidate, Round } from './candidate.ts'
import { type Draws, drawBytes } from './draw.ts'
import type { Effect } from './effect.ts'
import type { Likeness } from './likeness.ts'
import type { Shared } from './measurement.ts'
import type { ChainPlan } from './plan.ts'
import { type AdmissionPolicy, checkedAdmissionPolicy } from './policy.ts'

export interface AdmissionSettings {
  readonly policy: AdmissionPolicy
  readonly sha256: Sha256
  /** 32 random bytes, new with every start. */
  readonly seed: Uint8Array
  /** The chain that takes about the target at this rate; the first one where nothing is known. */
  plan(likeness: Likeness, operationsPerSecond: number | undefined): ChainPlan
}

export interface AdmissionState extends AdmissionSettings {
  readonly draws: Draws
  readonly workers: Map<WorkerId, Candidate>
  /** First come, first measured. */
  readonly line: Set<Candidate>
  readonly underway: Set<Candidate>
  readonly due: Set<Candidate>
  admitted: number
  round: Round | undefined
  nextRoundMs: number | undefined
  /** For how many workers that time was drawn. */
  roundDrawnFor: number
  /** Identities that failed, until when; the oldest goes when there are too many. */
  readonly keptOut: Map<WorkerId, number>
  /** What workers that have left showed together with others, so that leaving does not wash it off. */
  readonly remembered: Map<WorkerId, Shared>
  atMs: number
  effects: Effect[]
}

export const rememberedMax = 10_000

export function emptyState(settings: AdmissionSettings): AdmissionState {
  const fault = checkedAdmissionPolicy(settings.policy)
  if (fault !== undefined) {
    const { field, value, least, most } = fault
    throw new RangeError(`admission.${field} is ${value}, allowed is ${least} to ${most}`)
  }
  const { sha256, seed } = settings
  return {
    ...settings,
    draws: { sha256, seed, drawn: 0 },
    workers: new Map(),
    line: new Set(),
    underway: new Set(),
    due: new Set(),
    admitted: 0,
    round: undefined,
    nextRoundMs: undefined,
    roundDrawnFor: 0,
    keptOut: new Map(),
    remembered: new Map(),
    atMs: 0,
    effects: [],
  }
}

export function drawBenchmarkId({ draws }: AdmissionState): string {
  return encodeHex(drawBytes(draws).subarray(0, 16))
}

/** A map that forgets its oldest entry rather than grow. */
export function remember<T>(map: Map<WorkerId, T>, workerId: WorkerId, value: T): void {
  map.delete(workerId)
  map.set(workerId, value)
  if (map.size <= rememberedMax) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
