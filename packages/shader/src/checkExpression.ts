/** Expressions with their types (spec H7, H8, H11): from syntax to the checked tree, or a refusal with its place. */
import { atomicBuiltins, builtinType, isBuiltin, refuseFunction } from './builtins.ts'
import {
  abstract,
  type Checked,
  type Constant,
  coerce,
  concrete,
  constant,
  foldAbstract,
  foldBinary,
  foldBuiltin,
  foldConversion,
  refuseConstantVectors,
  typedConstant,
} from './constant.ts'
import { type Position, refuse } from './position.ts'
import { lookUp, type Scope } from './scope.ts'
import type { Element, Expression } from './shader.ts'
import type { BinaryOperator, ExpressionSyntax } from './syntax.ts'
import {
  bareVectorWidth,
  bool,
  expectValueType,
  isInteger,
  isTypeName,
  readValueType,
  refuseType,
  sameType,
  typeName,
  u32,
  type ValueType,
  type Width,
} from './types.ts'

type Call = Extract<ExpressionSyntax, { kind: 'call' }>

export function checkExpression(scope: Scope, syntax: ExpressionSyntax): Checked {
  const { at } = syntax
  switch (syntax.kind) {
    case 'integer':
      if (syntax.suffix === '') return abstract(at, syntax.value)
      return typedConstant(at, syntax.suffix === 'i' ? 'i32' : 'u32', syntax.value)
    case 'float':
      if (Number(syntax.text) > 3.4028234663852886e38) refuse(at, `${syntax.text} does not fit f32`)
      return { kind: 'constant', at, type: { of: 'f32', width: 1 }, value: 0, text: syntax.text }
    case 'bool':
      return constant(at, 'bool', syntax.value ? 1 : 0)
    case 'name':
      return checkName(scope, at, syntax.name)
    case 'unary':
      return checkUnary(scope, syntax)
    case 'binary': {
      const left = checkExpression(scope, syntax.left)
      return checkBinary(at, syntax.operator, left, checkExpression(scope, syntax.right))
    }
    case 'index':
      return checkIndex(scope, syntax)
    case 'member':
      return checkMember(scope, syntax)
    case 'call':
      return checkCall(scope, syntax)
  }
}

export function checkTyped(
  scope: Scope,
  syntax: ExpressionSyntax,
  type: ValueType,
  where: string,
): Expression {
  return coerce(checkExpression(scope, syntax), type, where)
}

/** A whole number that is known now: a size, a binding's number, a case. */
export function checkCount(
  scope: Scope,
  syntax: ExpressionSyntax,
  min: number,
  max: number,
  what: string,
): number {
  const value = checkExpression(scope, syntax)
  const known =
    value.kind === 'abstract'
      ? value.value
      : value.kind === 'constant' && isInteger(value.type)
        ? BigInt(value.value)
        : refuse(syntax.at, `${what} is not a constant whole number`)
  if (known < BigInt(min) || known > BigInt(max)) {
    refuse(syntax.at, `${what} is ${known}, allowed is ${min} to ${max}`)
  }
  return Number(known)
}

function checkName(scope: Scope, at: Position, name: string): Checked {
  const meaning = lookUp(scope, at, name)
  switch (meaning.kind) {
    case 'constant':
      return { ...meaning.value, at }
    case 'variable': {
      const { variable } = meaning
      if (variable.length !== undefined) refuse(at, `'${name}' is an array, which is no value: index it`)
      return { kind: 'local', at, type: variable.type, variable }
    }
    case 'buffer': {
      const { buffer } = meaning
      if (buffer.layout.kind === 'array') refuse(at, `'${name}' is an array, which is no value: index it`)
      if (buffer.layout.kind === 'struct')
        refuse(at, `'${name}' is a struct, which is no value: name a member`)
      return { kind: 'uniform', at, type: buffer.layout.type, buffer, member: undefined }
    }
    case 'function':
      return refuse(at, `'${name}' is a function, which is no value: call it`)
    case 'struct':
      return refuse(at, `'${name}' is a type, not a value`)
  }
}

function checkUnary(scope: Scope, syntax: Extract<ExpressionSyntax, { kind: 'unary' }>): Checked {
  const { at, operator } = syntax
  if (operator === '&') {
    return refuse(at, "'&' is accepted as the argument of arrayLength and of atomic functions only")
  }
  const operand = checkExpression(scope, syntax.operand)
  if (operand.kind === 'abstract') {
    if (operator === '!') refuse(at, "'!' is for bools")
    return abstract(at, operator === '-' ? -operand.value : ~operand.value)
  }
  const { type } = operand
  const fits = { '-': type.of === 'i32' || type.of === 'f32', '~': isInteger(type), '!': type.of === 'bool' }[
    operator
  ]
  if (!fits) refuse(at, `'${operator}' does not take ${typeName(type)}`)
  if (operand.kind === 'constant' && type.of !== 'f32') {
    if (operator === '!') return constant(at, 'bool', 1 - operand.value)
    const value = BigInt(operand.value)
    const mask = type.of === 'u32' ? 0xffff_ffffn : 0n
    return typedConstant(at, type.of, operator === '-' ? -value : mask === 0n ? ~value : value ^ mask)
  }
  refuseConstantVectors(at, [operand])
  return { kind: 'unary', at, type, operator, operand }
}

export function checkBinary(at: Position, operator: BinaryOperator, one: Checked, other: Checked): Checked {
  if (one.kind === 'abstract' && other.kind === 'abstract')
    return foldAbstract(at, operator, one.value, other.value)
  if (operator === '<<' || operator === '>>') return checkShift(at, operator, concrete(one), other)
  // A number without a type takes that of the other side.
  const left = one.kind === 'abstract' && other.kind !== 'abstract' ? numberBeside(one, other) : concrete(one)
  const right = other.kind === 'abstract' ? numberBeside(other, left) : other
  const wrong = (): never =>
    refuse(at, `'${operator}' does not take ${typeName(left.type)} and ${typeName(right.type)}`)
  if (left.type.of !== right.type.of) wrong()
  const { of } = left.type
  const isSum = ['+', '-', '*', '/', '%'].includes(operator)
  const width = Math.max(left.type.width, right.type.width) as Width
  if (left.type.width !== right.type.width && (!isSum || Math.min(left.type.width, right.type.width) !== 1))
    wrong()
  let type: ValueType = { of, width }
  switch (operator) {
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      if (of === 'bool') wrong()
      break
    case '&':
    case '|':
      if (of === 'f32') wrong()
      break
    case '^':
      if (!isInteger(type)) wrong()
      break
    case '&&':
    case '||':
      if (of !== 'bool' || width !== 1) wrong()
      break
    case '<':
    case '<=':
    case '>':
    case '>=':
      if (of === 'bool') wrong()
      type = { of: 'bool', width }
      break
    default:
      type = { of: 'bool', width }
  }
  if (
    (operator === '/' || operator === '%') &&
    right.kind === 'constant' &&
    isInteger(right.type) &&
    right.value === 0
  ) {
    refuse(at, 'divides by the constant zero')
  }
  if (left.kind === 'constant' && right.kind === 'constant' && of !== 'f32') {
    return foldBinary(at, operator, left, right)
  }
  refuseConstantVectors(at, [left, right])
  return { kind: 'binary', at, type, operator, left: widen(left, width), right: widen(right, width) }
}

function numberBeside(value: Extract<Checked, { kind: 'abstract' }>, other: Expression): Expression {
  const { of } = other.type
  if (of === 'bool') return refuse(value.at, 'a number does not go with a bool')
  return typedConstant(value.at, of, value.value)
}

function widen(value: Expression, width: Width): Expression {
  if (value.type.width === width) return value
  return { kind: 'vector', at: value.at, type: { of: value.type.of, width }, values: [value] }
}

function checkShift(at: Position, operator: '<<' | '>>', left: Expression, by: Checked): Expression {
  const right = concrete(by, 'u32')
  if (!isInteger(left.type) || right.type.of !== 'u32' || left.type.width !== right.type.width) {
    refuse(at, `'${operator}' does not take ${typeName(left.type)} and ${typeName(right.type)}`)
  }
  if (right.kind === 'constant' && right.value > 31)
    refuse(at, `shifts by ${right.value}, allowed is 0 to 31`)
  if (left.kind === 'constant' && right.kind === 'constant') return foldBinary(at, operator, left, right)
  refuseConstantVectors(at, [left, right])
  return { kind: 'binary', at, type: left.type, operator, left, right }
}

/** The index as a u32; an i32 keeps its bits, so that a negative one is beyond every array. */
function checkIndexValue(scope: Scope, syntax: ExpressionSyntax, length: number | undefined): Expression {
  const checked = checkExpression(scope, syntax)
  const index = concrete(checked, checked.kind === 'abstract' && checked.value >= 0n ? 'u32' : 'i32')
  if (!isInteger(index.type) || index.type.width !== 1) {
    refuse(syntax.at, `an index is i32 or u32, found ${typeName(index.type)}`)
  }
  if (index.kind === 'constant' && (index.value < 0 || index.value >= (length ?? 2 ** 32))) {
    refuse(
      syntax.at,
      `the index ${index.value} is out of bounds${length === undefined ? '' : `: there are ${length}`}`,
    )
  }
  if (index.kind === 'constant') return constant(syntax.at, 'u32', index.value)
  return index.type.of === 'u32' ? index : { kind: 'convert', at: index.at, type: u32, value: index }
}

/** The element that `array[index]` names, or undefined when the object is not an array. */
export function checkElement(
  scope: Scope,
  syntax: ExpressionSyntax,
): (Element & { readonly type: ValueType }) | undefined {
  if (syntax.kind !== 'index' || syntax.object.kind !== 'name') return undefined
  const meaning = lookUp(scope, syntax.object.at, syntax.object.name)
  if (meaning.kind === 'buffer' && meaning.buffer.layout.kind === 'array') {
    const { element: type, length } = meaning.buffer.layout
    const array = { kind: 'buffer', buffer: meaning.buffer } as const
    return { array, index: checkIndexValue(scope, syntax.index, length), length, type }
  }
  if (meaning.kind === 'variable' && meaning.variable.length !== undefined) {
    const { type, length } = meaning.variable
    const array = { kind: 'local', variable: meaning.variable } as const
    return { array, index: checkIndexValue(scope, syntax.index, length), length, type }
  }
  return undefined
}

function checkIndex(scope: Scope, syntax: Extract<ExpressionSyntax, { kind: 'index' }>): Checked {
  const { at } = syntax
  const element = checkElement(scope, syntax)
  if (element !== undefined) {
    const { array } = element
    if (array.kind === 'buffer' && array.buffer.layout.kind === 'array' && array.buffer.layout.isAtomic) {
      refuse(at, `'${array.buffer.name}' holds atomics: use atomicLoad`)
    }
    return { kind: 'element', at, ...element }
  }
  const vector = concrete(checkExpression(scope, syntax.object))
  if (vector.type.width === 1) refuse(at, `${typeName(vector.type)} has no index`)
  const index = checkIndexValue(scope, syntax.index, vector.type.width)
  const type = { of: vector.type.of, width: 1 } as const
  if (index.kind === 'constant') return { kind: 'components', at, type, vector, components: [index.value] }
  return { kind: 'component', at, type, vector, index }
}

/** The components that a swizzle such as `xz` names. */
export function readSwizzle(at: Position, name: string, type: ValueType): readonly number[] {
  const letters = /^[xyzw]{1,4}$/.test(name) ? 'xyzw' : /^[rgba]{1,4}$/.test(name) ? 'rgba' : undefined
  if (type.width === 1 || letters === undefined)
    return refuse(at, `${typeName(type)} has no member '${name}'`)
  return Array.from(name, (letter) => {
    const component = letters.indexOf(letter)
    return component < type.width ? component : refuse(at, `${typeName(type)} has no member '${name}'`)
  })
}

function checkMember(scope: Scope, syntax: Extract<ExpressionSyntax, { kind: 'member' }>): Checked {
  const { at, object, name } = syntax
  if (object.kind === 'name') {
    const meaning = lookUp(scope, object.at, object.name)
    if (meaning.kind === 'buffer' && meaning.buffer.layout.kind === 'struct') {
      const { buffer } = meaning
      const member = meaning.buffer.layout.members.find((candidate) => candidate.name === name)
      if (member === undefined) return refuse(at, `'${object.name}' has no member '${name}'`)
      return { kind: 'uniform', at, type: member.type, buffer, member }
    }
  }
  const vector = concrete(checkExpression(scope, object))
  const components = readSwizzle(at, name, vector.type)
  return {
    kind: 'components',
    at,
    type: { of: vector.type.of, width: components.length as Width },
    vector,
    components,
  }
}

/** A call of any kind: conversion, vector, bitcast, builtin, atomic, or a function of the shader. */
export function checkCall(scope: Scope, syntax: Call, isStatement = false): Checked {
  const { at, callee } = syntax
  const { name } = callee
  if (name === 'bitcast') return checkBitcast(scope, syntax)
  const type = readValueType(callee)
  const width = callee.element === undefined ? bareVectorWidth(name) : undefined
  if (type !== undefined || width !== undefined) {
    const values = syntax.values.map((value) => checkExpression(scope, value))
    if (type?.width === 1) return checkConversion(at, type, values)
    return checkVector(at, name, type, type?.width ?? width ?? 1, values)
  }
  if (callee.element !== undefined || isTypeName(name)) refuseType(at, name)
  if (name === 'arrayLength') return checkArrayLength(scope, syntax)
  if (atomicBuiltins.has(name)) {
    if (name === 'atomicStore' && !isStatement) refuse(at, "'atomicStore' has no value")
    return checkAtomic(scope, syntax)
  }
  const values = syntax.values.map((value) => checkExpression(scope, value))
  if (isBuiltin(name)) return checkBuiltin(at, name, values)
  const call = checkUserCall(scope, at, name, values)
  if (call.callee.result === undefined && !isStatement) refuse(at, `'${name}' has no value`)
  return call
}

function checkUserCall(
  scope: Scope,
  at: Position,
  name: string,
  values: readonly Checked[],
): Extract<Expression, { kind: 'call' }> {
  const meaning = isDeclared(scope, name) ? lookUp(scope, at, name) : refuseFunction(at, name)
  if (meaning.kind !== 'function') return refuse(at, `'${name}' is not a function`)
  const { function: callee } = meaning
  const { parameters } = callee
  if (values.length !== parameters.length) {
    refuse(at, `'${name}' takes ${parameters.length} arguments, found ${values.length}`)
  }
  const coerced = parameters.map((parameter, index) => {
    const value = values[index]
    if (value === undefined) throw new Error('the number of arguments was compared')
    return coerce(value, parameter.type, `the parameter '${parameter.name}'`)
  })
  // A function without a result is called in a statement only; there the type is not read.
  return { kind: 'call', at, type: callee.result ?? bool, callee, values: coerced }
}

function isDeclared(scope: Scope, name: string): boolean {
  for (let place: Scope | undefined = scope; place !== undefined; place = place.parent) {
    if (place.names.has(name)) return true
  }
  return false
}

function checkConversion(at: Position, type: ValueType, values: readonly Checked[]): Expression {
  const [value] = values
  if (values.length > 1) refuse(at, `'${type.of}' takes one argument, found ${values.length}`)
  if (value === undefined) return typedZero(at, type)
  if (value.kind === 'abstract') {
    if (type.of === 'bool') return constant(at, 'bool', value.value === 0n ? 0 : 1)
    return typedConstant(at, type.of, value.value)
  }
  if (value.type.width !== 1) refuse(at, `'${type.of}' does not take ${typeName(value.type)}`)
  if (sameType(value.type, type)) return { ...value, at }
  const folded = value.kind === 'constant' ? foldConversion(at, type.of, value) : undefined
  return folded ?? { kind: 'convert', at, type, value }
}

function typedZero(at: Position, { of }: ValueType): Constant {
  return of === 'f32' ? typedConstant(at, of, 0n) : constant(at, of, 0)
}

function checkVector(
  at: Position,
  name: string,
  type: ValueType | undefined,
  width: Width,
  values: readonly Checked[],
): Expression {
  const typed = values.find((value) => value.kind !== 'abstract')
  const of = type?.of ?? typed?.type.of ?? 'i32'
  const result: ValueType = { of, width }
  const [only] = values
  if (values.length === 1 && only !== undefined && only.kind !== 'abstract' && only.type.width === width) {
    if (only.type.of === of) return { ...only, at }
    return { kind: 'convert', at, type: result, value: only }
  }
  const concretes = values.map((value) => {
    const part = of === 'bool' ? concrete(value) : concrete(value, of)
    if (part.type.of !== of) refuse(part.at, `'${name}' of ${of} does not take ${typeName(part.type)}`)
    return part
  })
  const total = concretes.reduce((sum, part) => sum + part.type.width, 0)
  const isSplat = concretes.length === 1 && total === 1
  if (total !== width && total !== 0 && !isSplat) {
    refuse(at, `'${name}' takes ${width} components, found ${total}`)
  }
  return { kind: 'vector', at, type: result, values: concretes }
}

function checkBitcast(scope: Scope, { at, callee, values }: Call): Expression {
  if (callee.element === undefined) return refuse(at, "'bitcast' needs its type: `bitcast<u32>(x)`")
  const type = expectValueType(callee.element)
  const [argument] = values
  if (argument === undefined || values.length !== 1)
    return refuse(at, `'bitcast' takes 1 argument, found ${values.length}`)
  const value = concrete(checkExpression(scope, argument))
  if (type.of === 'bool' || value.type.of === 'bool' || type.width !== value.type.width) {
    refuse(at, `'bitcast' does not turn ${typeName(value.type)} into ${typeName(type)}`)
  }
  if (sameType(type, value.type)) return { ...value, at }
  const folded = value.kind === 'constant' ? foldConversion(at, type.of, value) : undefined
  return folded ?? { kind: 'bitcast', at, type, value }
}

function checkArrayLength(scope: Scope, { at, values }: Call): Expression {
  const [argument] = values
  const isAddress =
    argument?.kind === 'unary' && argument.operator === '&' && argument.operand.kind === 'name'
  const wrong = (): never => refuse(at, "'arrayLength' takes '&' and the name of a runtime-sized buffer")
  if (values.length !== 1 || !isAddress || argument.operand.kind !== 'name') return wrong()
  const meaning = lookUp(scope, argument.operand.at, argument.operand.name)
  if (meaning.kind !== 'buffer' || meaning.buffer.layout.kind !== 'array') return wrong()
  if (meaning.buffer.layout.length !== undefined) return wrong()
  return { kind: 'arrayLength', at, type: u32, buffer: meaning.buffer }
}

function checkAtomic(scope: Scope, { at, callee, values }: Call): Expression {
  const { name } = callee
  const [address, argument] = values
  const count = name === 'atomicLoad' ? 1 : 2
  if (values.length !== count) refuse(at, `'${name}' takes ${count} arguments, found ${values.length}`)
  const element =
    address?.kind === 'unary' && address.operator === '&' ? checkElement(scope, address.operand) : undefined
  const { array } = element ?? {}
  const isAtomic =
    array?.kind === 'buffer' && array.buffer.layout.kind === 'array' && array.buffer.layout.isAtomic
  if (element === undefined || !isAtomic) {
    return refuse(at, `'${name}' takes '&' and an element of a buffer of atomics first`)
  }
  const { type } = element
  const value =
    argument === undefined ? undefined : checkTyped(scope, argument, type, `the value of '${name}'`)
  return { kind: 'atomic', at, type, name, element, value }
}

function checkBuiltin(at: Position, name: string, checked: readonly Checked[]): Expression {
  // Numbers without a type take that of the first value that has one; the condition of `select` is no such value.
  const peers = name === 'select' ? checked.slice(0, 2) : checked
  const typed = peers.find((value) => value.kind !== 'abstract')
  const of = typed === undefined || typed.type.of === 'bool' ? 'i32' : typed.type.of
  const values = checked.map((value) => concrete(value, of))
  const type = builtinType(
    at,
    name,
    values.map((value) => value.type),
  )
  const constants = values.filter((value) => value.kind === 'constant')
  const folded = constants.length === values.length ? foldBuiltin(at, name, constants) : undefined
  if (folded !== undefined) return { ...folded, at }
  refuseConstantVectors(at, values)
  return { kind: 'builtin', at, type, name, values }
}
