/**
 * The arithmetic of the exact subset (spec H13, H14): what every operator and builtin gives for every pair of 32-bit
 * integers. Constants are folded with it, and the interpreter runs on it. i32 is held as a signed number, u32 as an
 * unsigned one, bool as 0 or 1.
 */
import type { BinaryOperator } from './syntax.ts'
import type { Scalar } from './types.ts'

export type IntegerScalar = Exclude<Scalar, 'f32'>

/** The number of this type that has the low 32 bits of `value`. */
export function wrap(of: IntegerScalar, value: number): number {
  return of === 'u32' ? value >>> 0 : value | 0
}

function divide(of: IntegerScalar, left: number, right: number): number {
  return right === 0 ? left : wrap(of, Math.trunc(left / right))
}

function remainder(of: IntegerScalar, left: number, right: number): number {
  return right === 0 ? 0 : wrap(of, left % right)
}

/** H13: sums and products wrap, a division by zero gives its left side, a remainder by zero gives zero. */
export function applyBinary(
  operator: BinaryOperator,
  of: IntegerScalar,
  left: number,
  right: number,
): number {
  switch (operator) {
    case '+':
      return wrap(of, left + right)
    case '-':
      return wrap(of, left - right)
    case '*':
      return wrap(of, Math.imul(left, right))
    case '/':
      return divide(of, left, right)
    case '%':
      return remainder(of, left, right)
    case '&':
      return wrap(of, left & right)
    case '|':
      return wrap(of, left | right)
    case '^':
      return wrap(of, left ^ right)
    case '<<':
      return wrap(of, left << (right & 31))
    case '>>':
      return of === 'u32' ? left >>> (right & 31) : left >> (right & 31)
    case '<':
      return left < right ? 1 : 0
    case '<=':
      return left <= right ? 1 : 0
    case '>':
      return left > right ? 1 : 0
    case '>=':
      return left >= right ? 1 : 0
    case '==':
      return left === right ? 1 : 0
    case '!=':
      return left !== right ? 1 : 0
    case '&&':
      return left & right
    case '||':
      return left | right
  }
}

export function applyUnary(operator: '-' | '!' | '~', of: IntegerScalar, value: number): number {
  switch (operator) {
    case '-':
      return wrap(of, -value)
    case '~':
      return wrap(of, ~value)
    case '!':
      return 1 - value
  }
}

/** Between bool, i32 and u32: integers keep their bits, and anything but zero is true. */
export function convert(from: IntegerScalar, to: IntegerScalar, value: number): number {
  if (to === 'bool') return value === 0 ? 0 : 1
  return from === to ? value : wrap(to, value)
}

function trailingZeros(value: number): number {
  return value === 0 ? 32 : 31 - Math.clz32(value & -value)
}

function reverseBits(value: number): number {
  let reversed = 0
  for (let bit = 0; bit < 32; bit++) reversed |= ((value >>> bit) & 1) << (31 - bit)
  return reversed
}

function countOneBits(value: number): number {
  let count = 0
  for (let rest = value; rest !== 0; rest &= rest - 1) count++
  return count
}

/** Builtins of one integer, or of several of one type, component by component (spec H14). */
export const integerBuiltins: ReadonlyMap<
  string,
  { readonly count: number; readonly apply: (of: IntegerScalar, a: number, b: number, c: number) => number }
> = new Map([
  ['abs', { count: 1, apply: (of, a) => wrap(of, a < 0 ? -a : a) }],
  ['min', { count: 2, apply: (_, a, b) => Math.min(a, b) }],
  ['max', { count: 2, apply: (_, a, b) => Math.max(a, b) }],
  ['clamp', { count: 3, apply: (_, a, low, high) => Math.min(Math.max(a, low), high) }],
  ['sign', { count: 1, apply: (_, a) => Math.sign(a) }],
  ['countOneBits', { count: 1, apply: (of, a) => wrap(of, countOneBits(a)) }],
  ['countLeadingZeros', { count: 1, apply: (of, a) => wrap(of, Math.clz32(a)) }],
  ['countTrailingZeros', { count: 1, apply: (of, a) => wrap(of, trailingZeros(a)) }],
  [
    'firstLeadingBit',
    { count: 1, apply: (of, a) => wrap(of, 31 - Math.clz32(of === 'i32' && a < 0 ? ~a : a)) },
  ],
  ['firstTrailingBit', { count: 1, apply: (of, a) => wrap(of, a === 0 ? -1 : trailingZeros(a)) }],
  ['reverseBits', { count: 1, apply: (of, a) => wrap(of, reverseBits(a)) }],
])
