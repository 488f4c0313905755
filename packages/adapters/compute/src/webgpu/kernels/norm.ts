/** rmsNorm and layerNorm (spec T32, T33): each row's mean where there is one, its root, and then every entry. */
import { type NodeFor, sizeOf } from '@shardy/tensor'
import { type Draft, type Operand, rowBlocks } from '../plan/draft.ts'
import { wideIntegers } from './integers.ts'
import { map } from './map.ts'
import { reduceShortRows } from './reduction.ts'

type Norm = NodeFor<'rmsNorm'> | NodeFor<'layerNorm'>

/**
 * roundDivide(16 · sum, n), floor((32 · sum + n) / 2n). Entries are at least -32,768, so the sum with that much for each
 * of them is not below zero, and its quotient is 16 · 32,768 too large.
 */
const meanWord = /* wgsl */ `
fn mean(sum: i32, n: u32) -> i32 {
  let lifted = bitcast<u32>(sum) + 32768u * n;
  let quotient = divideUnsigned(addWide(shiftLeft(vec2u(lifted, 0u), 5u), vec2u(n, 0u)), 2u * n);
  return bitcast<i32>(quotient.x) - 524288;
}
`

/** floor(256 · squares / n) + epsilon, and its root. */
const rootWord = /* wgsl */ `
fn root(squares: vec2u, n: u32, epsilon: u32) -> u32 {
  return squareRoot(addWide(divideUnsigned(shiftLeft(squares, 8u), n), vec2u(epsilon, 0u)));
}
`

/**
 * roundDivide(16 · centred · gain, divisor) within int16: floor(a / b) with a = 32 · centred · gain + divisor and
 * b = 2 · divisor. Quotients beyond are cut off first, so that the others have 16 bits.
 */
const scaled = /* wgsl */ `
fn shortQuotient(x: vec2u, divisor: u32) -> i32 {
  if (atMost(shiftLeft(vec2u(divisor, 0u), 15u), x)) { return 32768; }
  var quotient = 0;
  var rest = x;
  for (var bit = 15u; bit > 0u; bit--) {
    let part = shiftLeft(vec2u(divisor, 0u), bit - 1u);
    if (atMost(part, rest)) {
      rest = addWide(rest, negateWide(part));
      quotient |= 1i << (bit - 1u);
    }
  }
  return quotient;
}

fn scaled(centred: i32, gain: i32, divisor: u32) -> i32 {
  let numerator = addWide(multiplySigned(32 * centred, gain), vec2u(divisor, 0u));
  if (bitcast<i32>(numerator.y) >= 0) { return min(shortQuotient(numerator, 2u * divisor), 32767); }
  // Towards minus infinity: what is left over counts as a whole.
  let size = addWide(negateWide(numerator), vec2u(2u * divisor - 1u, 0u));
  return -shortQuotient(size, 2u * divisor);
}
`

export function emitNorm(
  draft: Draft,
  { op, epsilon, shift }: Norm,
  [x, gain]: readonly [Operand, Operand],
  result: Operand,
): void {
  const columns = x.shape.at(-1) ?? 1
  const centres = op === 'layerNorm'
  // Without a mean the name is not bound.
  const centred = (row: string, entry: string) => `16 * ${entry}${centres ? ` - meansAt(${row})` : ''}`
  for (const rows of rowBlocks(draft, sizeOf(x.shape) / columns, 8)) {
    const load = 'xAt(row * params.columns + column)'
    const means = centres
      ? {
          means: reduceShortRows(
            draft,
            {
              rows,
              columns,
              type: 'i32',
              neutral: '0',
              combine: 'return left + right;',
              functions: `${wideIntegers}${meanWord}`,
            },
            { reads: { x }, load: `  return ${load};`, word: 'mean(total, params.columns)' },
          ),
        }
      : {}
    const roots = reduceShortRows(
      draft,
      {
        rows,
        columns,
        type: 'vec2u',
        neutral: 'vec2u(0u)',
        combine: 'return addWide(left, right);',
        functions: `${wideIntegers}${rootWord}`,
        workPerEntry: 2,
      },
      {
        reads: { x, ...means },
        params: { epsilon },
        load: `  let size = u32(abs(${centred('row - params.rowsFrom', load)}));
  return multiplyUnsigned(size, size);`,
        word: 'root(total, params.columns, params.epsilon)',
      },
    )
    map(draft, {
      reads: { x, gain, roots, ...means },
      params: { columns, shift, rowsFrom: rows.from },
      result,
      entries: { from: rows.from * columns, to: rows.to * columns },
      functions: `${wideIntegers}${scaled}`,
      entry: `  let row = i / params.columns - params.rowsFrom;
  return scaled(${centred('row', 'xAt(i)')}, gainAt(i % params.columns), bitcast<u32>(rootsAt(row)) << params.shift);`,
      workPerEntry: 8,
    })
  }
}
