/** Softmax (spec T31): each row's largest entry, then the sum of its weights, then the shares. */
import { type NodeFor, sizeOf } from '@shardy/tensor'
import { type Draft, type Operand, rowBlocks } from '../plan/draft.ts'
import { map } from './map.ts'
import { partialIndex, reduceRows } from './reduction.ts'

/** The weight of an entry; its distance to the largest has 32 bits without a sign. */
const weight = /* wgsl */ `
fn weight(largest: i32, entry: i32) -> i32 {
  return tableAt(min(bitcast<u32>(largest) - bitcast<u32>(entry), 255u));
}
`

export function emitSoftmax(
  draft: Draft,
  _node: NodeFor<'softmax'>,
  [x, table]: readonly [Operand, Operand],
  result: Operand,
): void {
  const columns = x.shape.at(-1) ?? 1
  // Two numbers for each row, and what the rows' stretches leave.
  for (const rows of rowBlocks(draft, sizeOf(x.shape) / columns, 16 + Math.ceil(columns / 256))) {
    const params = { rowLength: columns }
    const largest = reduceRows(
      draft,
      {
        rows,
        columns,
        type: 'i32',
        neutral: 'i32(-2147483647 - 1)',
        combine: 'return max(left, right);',
      },
      { reads: { x }, params, load: '  return xAt(row * params.rowLength + column);', word: 'total' },
      (partial) => ({ reads: { partial }, load: `  return partialAt(${partialIndex});`, word: 'total' }),
    )
    const sums = reduceRows(
      draft,
      { rows, columns, type: 'i32', neutral: '0', combine: 'return left + right;', functions: weight },
      {
        reads: { x, table, largest },
        params,
        load: '  return weight(largestAt(row - params.rowsFrom), xAt(row * params.rowLength + column));',
        word: 'total',
      },
      (partial) => ({ reads: { partial }, load: `  return partialAt(${partialIndex});`, word: 'total' }),
    )
    map(draft, {
      reads: { x, table, largest, sums },
      params: { rowsFrom: rows.from, columns },
      result,
      entries: { from: rows.from * columns, to: rows.to * columns },
      functions: weight,
      entry: `  let row = i / params.columns - params.rowsFrom;
  let sum = bitcast<u32>(sumsAt(row));
  if (sum == 0u) { return 0; }
  return i32((510u * u32(weight(largestAt(row), xAt(i))) + sum) / (2u * sum));`,
      workPerEntry: 4,
    })
  }
}
