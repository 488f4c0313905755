/**
 * Operations along the last axis in doubles and not in bigints: every number on the way stays below 2^53, or is brought
 * there exactly, and a quotient that a double may have rounded is put right by its remainder.
 */
import {
  type Entries,
  integerSquareRoot,
  type NodeFor,
  roundDivide,
  type Tensor,
  type Value,
} from '@shardy/tensor'
import { largestIndex } from './largest.ts'
import { openPace, type Steps, stepWork } from './steps.ts'

/** What a row costs beside its entries: little, and for a norm some operations on bigints. */
const softmaxRowWork = 8
const normRowWork = 128

/** roundDivide for |a| < 2^50 and 0 < b < 2^50. */
function divideToNearest(a: number, b: number): number {
  const [dividend, divisor] = [2 * a + b, 2 * b]
  const quotient = Math.floor(dividend / divisor)
  const rest = dividend - quotient * divisor
  if (rest < 0) return quotient - 1
  return rest >= divisor ? quotient + 1 : quotient
}

export function* runSoftmax({ data, shape }: Tensor, { data: table }: Tensor): Steps {
  const length = shape.at(-1) ?? 1
  const shares = new Uint8Array(data.length)
  const pace = openPace(3 * data.length + (softmaxRowWork * data.length) / length)
  for (let start = 0; start < data.length; start += length) {
    const end = start + length
    let best = start
    for (let from = start; from < end; from += stepWork) {
      const to = Math.min(end, from + stepWork)
      best = largestIndex(data, from, to, best)
      if (pace.spend(to - from)) yield pace.part()
    }
    const largest = data[best] ?? 0
    let sum = 0
    for (let from = start; from < end; from += stepWork) {
      const to = Math.min(end, from + stepWork)
      sum += weightsOf(data, table, from, to, largest)
      if (pace.spend(to - from)) yield pace.part()
    }
    for (let from = start; from < end && sum > 0; from += stepWork) {
      const to = Math.min(end, from + stepWork)
      share(data, table, shares, from, to, largest, sum)
      if (pace.spend(to - from)) yield pace.part()
    }
    if (pace.spend(softmaxRowWork)) yield pace.part()
  }
  return shares
}

function weightsOf(data: Entries, table: Entries, from: number, to: number, largest: number): number {
  let sum = 0
  for (let index = from; index < to; index++) sum += table[Math.min(largest - (data[index] ?? 0), 255)] ?? 0
  return sum
}

function share(
  data: Entries,
  table: Entries,
  shares: Uint8Array,
  from: number,
  to: number,
  largest: number,
  sum: number,
): void {
  for (let index = from; index < to; index++) {
    const weight = table[Math.min(largest - (data[index] ?? 0), 255)] ?? 0
    shares[index] = divideToNearest(255 * weight, sum)
  }
}

/** Row by row: inference allows no row that is long. */
export function* runNorm(
  node: NodeFor<'rmsNorm'> | NodeFor<'layerNorm'>,
  x: Tensor,
  gain: Tensor,
  { shape }: Value,
): Steps {
  const length = shape.at(-1) ?? 1
  const data = new Int32Array(x.data.length)
  const rowWork = 3 * length + normRowWork
  const pace = openPace((data.length / length) * rowWork)
  for (let start = 0; start < data.length; start += length) {
    normalizeRow(node, x.data, gain.data, data, start)
    if (pace.spend(rowWork)) yield pace.part()
  }
  return data
}

function normalizeRow(
  { op, epsilon, shift }: NodeFor<'rmsNorm'> | NodeFor<'layerNorm'>,
  x: Entries,
  gain: Entries,
  data: Int32Array,
  start: number,
): void {
  const { length } = gain
  let mean = 0
  if (op === 'layerNorm') {
    let sum = 0
    for (let index = start; index < start + length; index++) sum += x[index] ?? 0
    mean = Number(roundDivide(16n * BigInt(sum), BigInt(length)))
  }
  // A square is below 2^40, so sums of 2^12 of them are exact before they join the bigint.
  let squares = 0n
  for (let first = start; first < start + length; first += 4096) {
    let part = 0
    for (let index = first; index < Math.min(first + 4096, start + length); index++) {
      const centred = 16 * (x[index] ?? 0) - mean
      part += centred * centred
    }
    squares += BigInt(part)
  }
  const root = integerSquareRoot((256n * squares) / BigInt(length) + BigInt(epsilon))
  const divisor = Number(root << BigInt(shift))
  for (let column = 0; column < length; column++) {
    const product = 16 * (16 * (x[start + column] ?? 0) - mean) * (gain[column] ?? 0)
    const quotient = divideToNearest(product, divisor)
    data[start + column] = quotient < -32_768 ? -32_768 : quotient > 32_767 ? 32_767 : quotient
  }
}
