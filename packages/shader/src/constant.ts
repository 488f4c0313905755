/**
 * Constants (spec H11). Every constant scalar is computed here, with the errors that WGSL prescribes, and written into
 * the shader as one literal, so no compiler's own folding, or its own errors, can make a difference.
 */
import { applyBinary, convert, integerBuiltins } from './arithmetic.ts'
import { type Position, refuse } from './position.ts'
import type { Expression } from './shader.ts'
import type { BinaryOperator } from './syntax.ts'
import { isInteger, type Scalar, sameType, typeName, type ValueType } from './types.ts'

/** A whole number without a type yet: `1`, or `2 * 3`. It fits 64 bits. */
export interface Abstract {
  readonly kind: 'abstract'
  readonly at: Position
  readonly value: bigint
}

export type Checked = Expression | Abstract
export type Constant = Extract<Expression, { kind: 'constant' }>

const bounds = {
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
  u32: [0n, 2n ** 32n - 1n],
  abstract: [-(2n ** 63n), 2n ** 63n - 1n],
} as const

function fits(value: bigint, of: keyof typeof bounds): boolean {
  const [min, max] = bounds[of]
  return value >= min && value <= max
}

export function abstract(at: Position, value: bigint): Abstract {
  if (!fits(value, 'abstract')) refuse(at, 'the constant does not fit 64 bits')
  return { kind: 'abstract', at, value }
}

export function constant(at: Position, of: Scalar, value: number): Constant {
  return { kind: 'constant', at, type: { of, width: 1 }, value, text: '' }
}

/** The constant of a written whole number that has this type. */
export function typedConstant(at: Position, of: Scalar, value: bigint): Constant {
  if (of === 'f32') return { kind: 'constant', at, type: { of, width: 1 }, value: 0, text: String(value) }
  if (of === 'bool') return refuse(at, `${value} is a number, not a bool`)
  if (!fits(value, of)) refuse(at, `${value} does not fit ${of}`)
  return constant(at, of, Number(value))
}

/** The value with a type: an abstract number becomes an i32 unless a scalar type is wished for. */
export function concrete(value: Checked, wish: Scalar = 'i32'): Expression {
  return value.kind === 'abstract' ? typedConstant(value.at, wish, value.value) : value
}

/** The value as one of exactly this type. */
export function coerce(value: Checked, type: ValueType, where: string): Expression {
  if (value.kind === 'abstract') {
    if (type.width === 1 && type.of !== 'bool') return typedConstant(value.at, type.of, value.value)
    return refuse(value.at, `${where} is ${typeName(type)}, found a number`)
  }
  if (!sameType(value.type, type))
    refuse(value.at, `${where} is ${typeName(type)}, found ${typeName(value.type)}`)
  return value
}

/** Whether WGSL takes this for a constant expression, so that a compiler would compute it itself. */
export function isConstant(value: Expression): boolean {
  switch (value.kind) {
    case 'constant':
      return true
    case 'vector':
      return value.values.every(isConstant)
    case 'components':
    case 'component':
      return isConstant(value.vector)
    case 'convert':
    case 'bitcast':
      return isConstant(value.value)
    default:
      return false
  }
}

/**
 * Integers and bools that are constant but not single literals: a compiler would compute with them, so they are
 * refused. Floats promise nothing, so their constants may stay.
 */
export function refuseConstantVectors(at: Position, values: readonly Expression[]): void {
  if (values.every((value) => isConstant(value)) && values.every(({ type }) => type.of !== 'f32')) {
    refuse(at, 'arithmetic on constants other than plain numbers is not accepted: write its result')
  }
}

function exactResult(at: Position, operator: BinaryOperator, left: bigint, right: bigint): bigint | boolean {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return right === 0n ? refuse(at, 'divides by the constant zero') : left / right
    case '%':
      return right === 0n ? refuse(at, 'divides by the constant zero') : left % right
    case '&':
      return left & right
    case '|':
      return left | right
    case '^':
      return left ^ right
    case '<<':
      return left << right
    case '>>':
      return left >> right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
    case '==':
      return left === right
    case '!=':
      return left !== right
    case '&&':
    case '||':
      return refuse(at, `'${operator}' is for bools`)
  }
}

/** An operator on two numbers that have no type yet. */
export function foldAbstract(at: Position, operator: BinaryOperator, left: bigint, right: bigint): Checked {
  if ((operator === '<<' || operator === '>>') && (right < 0n || right > 63n)) {
    refuse(at, `shifts by ${right}, allowed is 0 to 63`)
  }
  const result = exactResult(at, operator, left, right)
  return typeof result === 'boolean' ? constant(at, 'bool', result ? 1 : 0) : abstract(at, result)
}

/** An operator on two constants of one type (for shifts: any integer and a u32). A result out of range is refused. */
export function foldBinary(
  at: Position,
  operator: BinaryOperator,
  left: Constant,
  right: Constant,
): Constant {
  const { of } = left.type
  if (of === 'f32') throw new Error('floats are not folded')
  const isComparison = ['<', '<=', '>', '>=', '==', '!='].includes(operator)
  if (of === 'bool' || isComparison) {
    return constant(at, 'bool', applyBinary(operator, of, left.value, right.value))
  }
  const result = exactResult(at, operator, BigInt(left.value), BigInt(right.value))
  if (typeof result === 'boolean') throw new Error('comparisons are folded above')
  return typedConstant(at, of, result)
}

export function foldConversion(at: Position, to: Scalar, value: Constant): Constant | undefined {
  const { of } = value.type
  if (of === 'f32' || to === 'f32') return undefined
  return constant(at, to, convert(of, to, value.value))
}

export function foldBuiltin(at: Position, name: string, values: readonly Constant[]): Constant | undefined {
  const [first, second, third] = values
  if (first === undefined || first.type.of === 'f32') return undefined
  const { of } = first.type
  if (name === 'select') return third?.value === 1 ? second : first
  if (name === 'all' || name === 'any') return first
  if (!isInteger(first.type)) return undefined
  const apply = integerBuiltins.get(name)?.apply
  return apply === undefined
    ? undefined
    : constant(at, of, apply(of, first.value, second?.value ?? 0, third?.value ?? 0))
}
