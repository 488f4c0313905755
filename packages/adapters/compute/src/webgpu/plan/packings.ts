/**
 * The second turn of planning: a product's kernel may want its operands in an order of its own. Each such operand gets a
 * region and a step that fills it. Weights that blobs name are packed once and kept; the bytes they came as are not.
 */
import type { ProductSpec } from '../gemm/index.ts'
import type { Plan } from './plan.ts'
import { aligned, type Region, readsOf, regionAlignment, type Source, type Step } from './step.ts'

/** What a product's kernel says of its operands; no bytes where it reads them as they lie. */
export interface Packing {
  readonly packedBytes: { readonly a: number; readonly b: number }
  /** Products that say the same can share a packed B of the same layout and shape. */
  readonly bLayout: string
}

export function packOperands(plan: Plan, packingOf: (spec: ProductSpec) => Packing): Plan {
  const regions: Region[] = [...plan.regions]
  const steps: Step[] = []
  const place = (bytes: number, source: Source) =>
    regions.push({ bytes: aligned(bytes, regionAlignment), source }) - 1
  /** Packed weights by their key: several products may read the same. */
  const prepared = new Map<string, number>()

  for (const step of plan.steps) {
    if (step.kind !== 'product') {
      steps.push(step)
      continue
    }
    const { label, spec } = step
    let { a, b } = step.regions
    const { packedBytes, bLayout } = packingOf(spec)
    if (packedBytes.b > 0) {
      const { batch, k, n, sharedB, transposeB } = spec
      const source = plan.regions[b]?.source
      const work = (sharedB ? 1 : batch) * k * n
      if (source?.kind === 'resident') {
        const key = `${source.key} ${bLayout} ${sharedB ? 1 : batch}x${k}x${n} ${transposeB}`
        const found = prepared.get(key)
        const packed = found ?? place(packedBytes.b, { kind: 'prepared', key })
        if (found === undefined) {
          prepared.set(key, packed)
          steps.push({ kind: 'pack', label, spec, operand: 'b', source: b, packed, work, prepares: key })
        }
        b = packed
      } else {
        const packed = place(packedBytes.b, { kind: 'steps' })
        steps.push({ kind: 'pack', label, spec, operand: 'b', source: b, packed, work })
        b = packed
      }
    }
    if (packedBytes.a > 0) {
      const packed = place(packedBytes.a, { kind: 'steps' })
      const work = spec.batch * spec.m * spec.k
      steps.push({ kind: 'pack', label, spec, operand: 'a', source: a, packed, work })
      a = packed
    }
    steps.push({ ...step, regions: { ...step.regions, a, b } })
  }

  const readAsTheyLie = new Set(steps.flatMap((step) => (step.kind === 'pack' ? [] : readsOf(step))))
  return {
    ...plan,
    steps,
    regions: regions.map((region, index) => {
      const { source } = region
      if (source.kind !== 'resident' || readAsTheyLie.has(index)) return region
      return { ...region, source: { kind: 'given', value: source.value } }
    }),
  }
}

/** The steps that are left when some regions are at hand from earlier runs. */
export function withoutPrepared(plan: Plan, isAtHand: (key: string) => boolean): Plan {
  const steps = plan.steps.filter(
    (step) => step.kind !== 'pack' || step.prepares === undefined || !isAtHand(step.prepares),
  )
  return { ...plan, steps }
}
