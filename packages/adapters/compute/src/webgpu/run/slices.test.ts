import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { KernelStep, Pace, PackStep, ProductStep, Step } from '../plan/step.ts'
import { createPaces, type Paces } from './pace.ts'
import { cutSlices, dispatchesMax, type Slice, workOfStep } from './slices.ts'

function kernel(
  from: number,
  to: number,
  workPerUnit: number,
  pace: KernelStep['pace'] = 'entry',
): KernelStep {
  const none = { reads: [], writes: [], params: [], label: 'test', kernel: { code: '', reads: 0, writes: 0 } }
  return { kind: 'kernel', from, to, workPerUnit, pace, groups: { unitsEach: 64 }, ...none }
}

const spec = { batch: 1, m: 1, k: 1, n: 1, left: 'i8', sharedB: true, transposeB: false } as const
const product = (work: number): ProductStep => ({
  kind: 'product',
  label: 'test',
  spec,
  regions: { a: 0, b: 1, out: 2 },
  work,
})
const pack = (work: number): PackStep => ({
  kind: 'pack',
  label: 'test',
  spec,
  operand: 'a',
  source: 0,
  packed: 1,
  work,
})

const rangesOf = ({ work }: ProductStep, most: number) =>
  Array.from({ length: Math.ceil(work / most) }, (_, firstRow) => ({
    firstBatch: 0,
    batches: 1,
    firstRow,
    rows: 1,
    firstColumn: 0,
    columns: 1,
  }))

const fixed = (work: number): Pick<Paces, 'workOf'> => ({ workOf: () => work })

function cut(steps: readonly Step[], work: number): readonly Slice[] {
  return [...cutSlices(steps, fixed(work), rangesOf)]
}

describe('slices', () => {
  test('do all of the work once and in order', () => {
    const step = fc.oneof(
      fc
        .tuple(fc.nat(1000), fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 300 }))
        .map(([from, units, work]) => kernel(from, from + units, work)),
      fc.integer({ min: 1, max: 100_000 }).map(product),
      fc.integer({ min: 1, max: 100_000 }).map(pack),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.integer({ min: 100, max: 50_000 }), (steps, work) => {
        const dispatches = cut(steps, work).flatMap((slice) => slice.dispatches)
        let next = 0
        for (const step of steps) {
          if (step.kind === 'pack') {
            expect(dispatches[next++]).toEqual({ kind: 'pack', step })
          } else if (step.kind === 'product') {
            for (const range of rangesOf(step, work))
              expect(dispatches[next++]).toEqual({ kind: 'product', step, range })
          } else {
            for (let from = step.from; from < step.to; ) {
              const dispatch = dispatches[next++]
              if (dispatch?.kind !== 'kernel' || dispatch.step !== step) throw new Error('another step')
              expect(dispatch.from).toBe(from)
              expect(dispatch.to).toBeGreaterThan(from)
              from = dispatch.to
            }
          }
        }
        expect(next).toBe(dispatches.length)
        const total = cut(steps, work).reduce((sum, slice) => sum + slice.work, 0)
        expect(total).toBeCloseTo(
          steps.reduce((sum, step) => sum + workOfStep(step), 0),
          3,
        )
      }),
    )
  })

  test('hold no more than their work, but for what cannot be cut', () => {
    for (const slice of cut([kernel(0, 5000, 7), kernel(0, 3, 10), product(9000)], 1000)) {
      expect(slice.work).toBeLessThanOrEqual(1000)
    }
    expect(cut([kernel(0, 2, 5000), pack(9000)], 1000)).toHaveLength(3)
  })

  test('hold many small steps, up to the parameters that there are', () => {
    const steps = Array.from({ length: 1200 }, () => kernel(0, 1, 1))
    expect(cut(steps, 2 ** 30).map(({ dispatches }) => dispatches.length)).toEqual([
      dispatchesMax,
      dispatchesMax,
      1200 - 2 * dispatchesMax,
    ])
  })

  test('are none where there is nothing to do', () => expect(cut([], 10)).toEqual([]))
})

describe('paces', () => {
  const all = (pace: Pace) => ({ product: 0, entry: 0, series: 0, [pace]: 1 })

  test('grow fast while slices are short, and shrink when they are long', () => {
    const paces = createPaces()
    const first = paces.workOf('product')
    paces.learn(0.1, all('product'))
    expect(paces.workOf('product')).toBe(8 * first)
    paces.learn(10, all('product'))
    expect(paces.workOf('product')).toBe(16 * first)
    paces.learn(50, all('product'))
    expect(paces.workOf('product')).toBe(16 * first)
    paces.learn(100, all('product'))
    expect(paces.workOf('product')).toBe(8 * first)
  })

  test('learn nothing about what had little part in a slice', () => {
    const paces = createPaces()
    const first = paces.workOf('series')
    paces.learn(1000, { product: 0.9, entry: 0, series: 0.1 })
    expect(paces.workOf('series')).toBe(first)
  })

  test('learn nothing from the last slice of a program, which is short because little was left', () => {
    const paces = createPaces()
    const first = paces.workOf('entry')
    paces.learn(0.1, { product: 0, entry: 0.01, series: 0 })
    expect(paces.workOf('entry')).toBe(first)
  })

  test('stay within bounds', () => {
    const paces = createPaces()
    for (let slice = 0; slice < 100; slice++) paces.learn(0.1, all('entry'))
    expect(paces.workOf('entry')).toBeLessThanOrEqual(2 ** 46)
    for (let slice = 0; slice < 100; slice++) paces.learn(1e6, all('entry'))
    expect(paces.workOf('entry')).toBeGreaterThanOrEqual(2 ** 10)
  })
})
