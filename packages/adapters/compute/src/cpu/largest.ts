/** The largest entry of a range, and where it is: what softmax and argmax begin with. */
import type { Entries } from '@shardy/tensor'

/** The first index of the largest entry in the range; `best`, which lies before it, where none is larger. */
export function largestIndex(data: Entries, start: number, end: number, best: number): number {
  let found = best
  let largest = data[best] ?? 0
  for (let index = start; index < end; index++) {
    const entry = data[index] ?? 0
    if (entry > largest) {
      largest = entry
      found = index
    }
  }
  return found
}
