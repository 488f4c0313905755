/**
 * Where a row's largest entries are. They are found by merging ranked runs of indices, each cut to k as it is made, so that
 * few of many cost little more than one look at each entry. Merging is stable: among equals the lower index comes first.
 */
import { createEntries, type Entries, type NodeFor, sizeOf, type Tensor, type Value } from '@shardy/tensor'
import { largestIndex } from './largest.ts'
import { openPace, type Pace, type Steps, stepWork } from './steps.ts'

/** What a row costs beside its entries. */
const rowWork = 8

export function* runArgmax({ data, shape }: Tensor): Steps {
  const length = shape.at(-1) ?? 1
  const indices = new Uint32Array(data.length / length)
  const pace = openPace(data.length + rowWork * indices.length)
  for (let row = 0; row < indices.length; row++) {
    const [start, end] = [row * length, (row + 1) * length]
    let best = start
    for (let from = start; from < end; from += stepWork) {
      const to = Math.min(end, from + stepWork)
      best = largestIndex(data, from, to, best)
      if (pace.spend(to - from)) yield pace.part()
    }
    indices[row] = best - start
    if (pace.spend(rowWork)) yield pace.part()
  }
  return indices
}

export function* runTopK({ k, result }: NodeFor<'topK'>, x: Tensor, { dtype, shape }: Value): Steps {
  const length = x.shape.at(-1) ?? 1
  const data = createEntries(dtype, sizeOf(shape))
  const rows = x.data.length / length
  const pace = openPace(rows * rankingWork(length, k))
  const orders = [new Uint32Array(length), new Uint32Array(length)] as const
  for (let row = 0; row < rows; row++) {
    const entries = x.data.subarray(row * length, (row + 1) * length)
    const ranked = yield* rank(entries, k, orders, pace)
    for (let from = 0; from < k; from += stepWork) {
      const to = Math.min(k, from + stepWork)
      for (let place = from; place < to; place++) {
        const index = ranked[place] ?? 0
        data[row * k + place] = result === 'values' ? (entries[index] ?? 0) : index
      }
      if (pace.spend(to - from)) yield pace.part()
    }
    if (pace.spend(rowWork)) yield pace.part()
  }
  return data
}

/** What `rank` and what follows it spend on one row, about. */
function rankingWork(length: number, k: number): number {
  let work = length + k + rowWork
  for (let width = 1; width < length; width *= 2)
    work += Math.ceil(length / (2 * width)) * (Math.min(2 * width, k) + 2)
  return work
}

/** Two ranked runs that become one, up to where they have been merged. */
interface Merge {
  left: number
  leftEnd: number
  right: number
  rightEnd: number
  to: number
}

/** Indices whose first k are those of the k largest entries, in order. */
function* rank(
  entries: Entries,
  k: number,
  [first, second]: readonly [Uint32Array, Uint32Array],
  pace: Pace,
): Generator<number, Uint32Array, void> {
  const { length } = entries
  let [from, into] = [first, second]
  for (let start = 0; start < length; start += stepWork) {
    const end = Math.min(length, start + stepWork)
    for (let index = start; index < end; index++) from[index] = index
    if (pace.spend(end - start)) yield pace.part()
  }
  const merge: Merge = { left: 0, leftEnd: 0, right: 0, rightEnd: 0, to: 0 }
  for (let width = 1; width < length; width *= 2) {
    for (let start = 0; start < length; start += 2 * width) {
      const middle = Math.min(length, start + width)
      merge.left = merge.to = start
      merge.leftEnd = Math.min(middle, start + k)
      merge.right = middle
      merge.rightEnd = Math.min(length, middle + width, middle + k)
      const end = start + Math.min(k, merge.leftEnd - start + merge.rightEnd - middle)
      while (merge.to < end) {
        const until = Math.min(end, merge.to + stepWork)
        const work = until - merge.to + 2
        mergeUntil(until, into, from, entries, merge)
        if (pace.spend(work)) yield pace.part()
      }
    }
    ;[from, into] = [into, from]
  }
  return from
}

function mergeUntil(end: number, into: Uint32Array, from: Uint32Array, entries: Entries, merge: Merge): void {
  const { leftEnd, rightEnd } = merge
  let { left, right, to } = merge
  for (; to < end; to++) {
    const [leftIndex, rightIndex] = [from[left] ?? 0, from[right] ?? 0]
    const takesLeft =
      right >= rightEnd || (left < leftEnd && (entries[leftIndex] ?? 0) >= (entries[rightIndex] ?? 0))
    into[to] = takesLeft ? leftIndex : rightIndex
    if (takesLeft) left += 1
    else right += 1
  }
  merge.left = left
  merge.right = right
  merge.to = to
}
