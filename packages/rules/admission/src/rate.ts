/** What a time says about speed (docs/spec/admission.md, M7). */
import type { AdmissionPolicy } from './policy.ts'

/**
 * What of the time between sending and the root was spent computing. The way there and back is the worker's to stretch, by
 * answering late where nothing is timed, so no more than a quarter is taken off for it.
 */
export function computingMs(
  elapsedMs: number,
  roundTripMs: number,
  { roundTripMsMax }: AdmissionPolicy,
): number {
  return Math.max(1, elapsedMs - Math.min(roundTripMs, roundTripMsMax, elapsedMs / 4))
}

export function rateOf(operations: number, ms: number): number {
  return Math.floor(Math.min(Number.MAX_SAFE_INTEGER, (operations * 1_000) / ms))
}
