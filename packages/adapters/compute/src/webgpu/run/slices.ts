/**
 * A plan's steps cut into slices: as many dispatches as fill some tens of milliseconds by what was learned so far, which
 * are submitted together and waited for together.
 */
import type { Range } from '../gemm/index.ts'
import type { KernelStep, Pace, PackStep, ProductStep, Step } from '../plan/step.ts'
import type { Paces, Shares } from './pace.ts'

export type Dispatch =
  | { readonly kind: 'kernel'; readonly step: KernelStep; readonly from: number; readonly to: number }
  | { readonly kind: 'pack'; readonly step: PackStep }
  | { readonly kind: 'product'; readonly step: ProductStep; readonly range: Range }

export interface Slice {
  readonly dispatches: readonly Dispatch[]
  readonly shares: Shares
  readonly work: number
}

/** Dispatches of one slice, each of which has parameters of its own. */
export const dispatchesMax = 512

export function workOfStep(step: Step): number {
  return step.kind === 'kernel' ? (step.to - step.from) * step.workPerUnit : step.work
}

/** Asks `paces` anew for each slice, so what one slice taught counts for the next. */
export function* cutSlices(
  steps: readonly Step[],
  paces: Pick<Paces, 'workOf'>,
  rangesOf: (step: ProductStep, multiplyAddsMax: number) => readonly Range[],
): Generator<Slice, void> {
  let dispatches: Dispatch[] = []
  let shares: Record<Pace, number> = { product: 0, entry: 0, series: 0 }
  let work = 0
  let room = 1

  const add = (dispatch: Dispatch, pace: Pace, part: number) => {
    dispatches.push(dispatch)
    const share = part / paces.workOf(pace)
    shares[pace] += share
    work += part
    room -= share
  }
  const take = (): Slice => {
    const slice = { dispatches, shares, work }
    dispatches = []
    shares = { product: 0, entry: 0, series: 0 }
    work = 0
    room = 1
    return slice
  }
  const isFull = (pace: Pace, part: number) =>
    dispatches.length >= dispatchesMax ||
    (dispatches.length > 0 && part / paces.workOf(pace) > Math.max(room, 0))

  for (const step of steps) {
    if (step.kind === 'kernel') {
      const { pace, workPerUnit } = step
      // Dispatches of few units would cost more than they do.
      const least = Math.ceil(Math.min(paces.workOf(pace) / 16 / workPerUnit, step.to - step.from))
      for (let from = step.from; from < step.to; ) {
        if (isFull(pace, Math.min(least, step.to - from) * workPerUnit)) yield take()
        const units = Math.max(1, Math.floor((room * paces.workOf(pace)) / workPerUnit))
        const to = Math.min(step.to, from + units)
        add({ kind: 'kernel', step, from, to }, pace, (to - from) * workPerUnit)
        from = to
      }
    } else if (step.kind === 'pack') {
      if (isFull('entry', step.work)) yield take()
      add({ kind: 'pack', step }, 'entry', step.work)
    } else {
      const ranges = rangesOf(step, paces.workOf('product'))
      for (const range of ranges) {
        const part = step.work / ranges.length
        if (isFull('product', part)) yield take()
        add({ kind: 'product', step, range }, 'product', part)
      }
    }
  }
  if (dispatches.length > 0) yield take()
}
