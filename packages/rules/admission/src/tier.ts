/** The tier of a worker by what was measured of it (docs/spec/admission.md, M2 to M4). */
import type { AdmissionPolicy } from './policy.ts'

/** `product`: int8 multiply-adds. `lite`: byte steps of FNV-1a, for hosts that run no programs. Not to be compared. */
export type ChainKind = 'product' | 'lite'

export type Tiered =
  | { readonly ok: true; readonly tier: 1 | 2 | 3 }
  | {
      readonly ok: false
      readonly field: 'operationsPerSecond' | 'stableBytes'
      readonly measured: number
      readonly bound: number
    }

export function tierOf(
  kind: ChainKind,
  operationsPerSecond: number,
  stableBytes: number,
  { tiers, liteOperationsPerSecondMin }: AdmissionPolicy,
): Tiered {
  const [first, second, third] = tiers
  const bound = kind === 'lite' ? liteOperationsPerSecondMin : first.operationsPerSecondMin
  if (operationsPerSecond < bound) {
    return { ok: false, field: 'operationsPerSecond', measured: operationsPerSecond, bound }
  }
  if (stableBytes < first.memoryBytesMin) {
    return { ok: false, field: 'stableBytes', measured: stableBytes, bound: first.memoryBytesMin }
  }
  const reaches = ({ operationsPerSecondMin, memoryBytesMin }: typeof first) =>
    operationsPerSecond >= operationsPerSecondMin && stableBytes >= memoryBytesMin
  if (kind === 'lite' || !reaches(second)) return { ok: true, tier: 1 }
  return { ok: true, tier: reaches(third) ? 3 : 2 }
}
