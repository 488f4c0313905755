/** A tensor row by row: what operations along the last axis walk over. */
import type { Tensor } from './tensor.ts'

export interface Row {
  /** The index of its first entry. */
  readonly start: number
  readonly entries: readonly number[]
}

export function* rowsOf({ shape, data }: Tensor): Generator<Row> {
  const length = shape.at(-1) ?? 1
  for (let start = 0; start < data.length; start += length) {
    yield { start, entries: Array.from(data.subarray(start, start + length)) }
  }
}

export function largestOf(entries: readonly number[]): number {
  return entries.reduce((left, right) => Math.max(left, right))
}
