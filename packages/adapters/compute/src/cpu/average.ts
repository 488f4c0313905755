/**
 * Moving averages in doubles: a state has at most 31 bits, the difference of two 32 and its product with alpha 48, so
 * every number on the way is exact.
 */
import { createEntries, type Entries, type NodeFor, type Tensor } from '@shardy/tensor'
import { inSteps, type Steps, stretch } from './steps.ts'

/** Series that are carried on side by side, so that memory is read along its rows. */
const blockSeries = 2 ** 14
/** Alpha is in 65,536ths. */
const alphaOne = 2 ** 16

export function* runEma({ alpha, fraction }: NodeFor<'ema'>, { data: source, dtype, shape }: Tensor): Steps {
  const times = shape[0] ?? 1
  const series = source.length / times
  const data = createEntries(dtype, source.length)
  const one = 2 ** fraction
  for (let first = 0; first < series; first += blockSeries) {
    const states = new Int32Array(Math.min(blockSeries, series - first))
    for (let index = 0; index < states.length; index++) states[index] = (source[first + index] ?? 0) * one
    const run = inSteps(
      times,
      (start, end) => average(source, data, states, { first, series, start, end, alpha, one }),
      states.length,
    )
    const until = (first + states.length) / series
    yield* stretch(run, first / series, until)
    yield until
  }
  return data
}

interface Averaging {
  readonly first: number
  readonly series: number
  readonly start: number
  readonly end: number
  readonly alpha: number
  readonly one: number
}

function average(source: Entries, data: Entries, states: Int32Array, averaging: Averaging): void {
  const { first, series, start, end, alpha, one } = averaging
  const half = one === 1 ? 0 : one / 2
  for (let time = start; time < end; time++) {
    const row = time * series + first
    for (let index = 0; index < states.length; index++) {
      const before = states[index] ?? 0
      const change = ((source[row + index] ?? 0) * one - before) * alpha
      const state = before + Math.floor((change + alphaOne / 2) / alphaOne)
      states[index] = state
      data[row + index] = Math.floor((state + half) / one)
    }
  }
}
