/** Rotary embedding (spec T34): each entry from the two of its pair. */
import { dtypeFacts, type NodeFor, sizeOf } from '@shardy/tensor'
import type { Draft, Operand } from '../plan/draft.ts'
import { roundShift } from './integers.ts'
import { map } from './map.ts'

export function emitRotary(
  draft: Draft,
  { shift, interleaved }: NodeFor<'rotary'>,
  [x, cos, sin]: readonly [Operand, Operand, Operand],
  result: Operand,
): void {
  const columns = x.shape.at(-1) ?? 2
  const { min, max } = dtypeFacts[x.dtype]
  // The sums of int32 fit as they are (spec T34).
  const saturated = x.dtype === 'i32' ? 'turned' : `clamp(turned, ${min}i, ${max}i)`
  const pairing = interleaved
    ? `  let pair = column / 2u;
  let isFirst = column % 2u == 0u;
  let other = select(i - 1u, i + 1u, isFirst);`
    : `  let pair = column % params.pairs;
  let isFirst = column < params.pairs;
  let other = select(i - params.pairs, i + params.pairs, isFirst);`
  map(draft, {
    reads: { x, cos, sin },
    params: { columns, pairs: columns / 2, shift, tableSize: sizeOf(cos.shape) },
    result,
    functions: roundShift,
    entry: `  let column = i % params.columns;
${pairing}
  let angle = ((i / params.columns) * params.pairs + pair) % params.tableSize;
  // First: x cos - other sin. Second: other sin + x cos.
  let alongSin = xAt(other) * sinAt(angle);
  let turned = roundShift(xAt(i) * cosAt(angle) + select(alongSin, -alongSin, isFirst), params.shift);
  return ${saturated};`,
    workPerEntry: 4,
  })
}
