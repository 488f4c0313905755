/** Statements and function bodies (spec H6, H9, H10): scopes, types, and where `break` and `return` may stand. */
import {
  checkBinary,
  checkCall,
  checkCount,
  checkElement,
  checkExpression,
  checkTyped,
  readSwizzle,
} from './checkExpression.ts'
import { coerce, concrete } from './constant.ts'
import { localBytesMax } from './limits.ts'
import { type Position, refuse } from './position.ts'
import { declare, lookUp, openScope, type Scope } from './scope.ts'
import type { Clause, Element, Expression, Statement, Target, Variable } from './shader.ts'
import type { ClauseSyntax, ExpressionSyntax, StatementSyntax, TypeSyntax } from './syntax.ts'
import { bool, expectValueType, isInteger, sameType, typeName, type ValueType } from './types.ts'

/** Where a statement stands. */
interface Place {
  readonly scope: Scope
  readonly result: ValueType | undefined
  readonly canBreak: boolean
  readonly canContinue: boolean
  /** In a `continuing` block there is no way out but its end. */
  readonly isContinuing: boolean
  readonly nextId: () => number
}

export function checkBody(
  scope: Scope,
  body: readonly StatementSyntax[],
  result: ValueType | undefined,
  at: Position,
  nextId: () => number,
): readonly Statement[] {
  const place = { scope, result, canBreak: false, canContinue: false, isContinuing: false, nextId }
  const checked = checkList(place, body)
  if (result !== undefined && !endsWithReturn(checked)) {
    refuse(at, 'the function can end without a value: end it, or every branch of its end, with a return')
  }
  return checked
}

/**
 * Whether the last statement certainly returns, by form alone: a loop is never counted as returning, and a `break` anywhere
 * in a switch leads behind it.
 */
function endsWithReturn(body: readonly Statement[]): boolean {
  const last = body.at(-1)
  switch (last?.kind) {
    case 'return':
      return true
    case 'block':
      return endsWithReturn(last.body)
    case 'if':
      return endsWithReturn(last.whenTrue) && endsWithReturn(last.whenFalse)
    case 'switch':
      return last.clauses.every(({ body }) => endsWithReturn(body) && !leavesSwitch(body))
    default:
      return false
  }
}

/** Whether a `break` in here ends the switch that this stands in: loops and switches within have their own. */
function leavesSwitch(body: readonly Statement[]): boolean {
  return body.some((statement) => {
    switch (statement.kind) {
      case 'break':
        return true
      case 'block':
        return leavesSwitch(statement.body)
      case 'if':
        return leavesSwitch(statement.whenTrue) || leavesSwitch(statement.whenFalse)
      default:
        return false
    }
  })
}

/** The statements of a block whose scope is open already. */
function checkList(place: Place, body: readonly StatementSyntax[]): readonly Statement[] {
  const checked: Statement[] = []
  for (const syntax of body) {
    const before = checked.at(-1)
    if (before?.kind === 'return' || before?.kind === 'break' || before?.kind === 'continue') {
      refuse(syntax.at, `nothing is reached after '${before.kind}'`)
    }
    const statement = checkStatement(place, syntax)
    if (statement !== undefined) checked.push(statement)
  }
  return checked
}

function checkBlock(place: Place, body: readonly StatementSyntax[]): readonly Statement[] {
  return checkList({ ...place, scope: openScope(place.scope) }, body)
}

/** Constants are no statements: they are where they are used. */
function checkStatement(place: Place, syntax: StatementSyntax): Statement | undefined {
  const { at } = syntax
  switch (syntax.kind) {
    case 'block':
      return { kind: 'block', at, body: checkBlock(place, syntax.body) }
    case 'declare':
      return checkDeclaration(place, syntax)
    case 'assign':
      return checkAssignment(place.scope, syntax)
    case 'evaluate':
      return checkEvaluation(place.scope, syntax)
    case 'if':
      return {
        kind: 'if',
        at,
        condition: checkTyped(place.scope, syntax.condition, bool, "the condition of 'if'"),
        whenTrue: checkBlock(place, syntax.whenTrue),
        whenFalse: checkBlock(place, syntax.whenFalse ?? []),
      }
    case 'switch':
      return checkSwitch(place, syntax)
    case 'for':
    case 'while':
    case 'loop':
      if (place.isContinuing) refuse(at, "a loop in 'continuing' is not accepted: fuel could not end it")
      return checkLoop(place, syntax)
    case 'break':
      if (!place.canBreak) refuse(at, "'break' stands in no loop and no switch that it could end")
      return { kind: 'break', at }
    case 'continue':
      if (!place.canContinue) refuse(at, "'continue' stands in no loop that it could go on with")
      return { kind: 'continue', at }
    case 'return':
      return checkReturn(place, at, syntax.value)
  }
}

function checkReturn(place: Place, at: Position, value: ExpressionSyntax | undefined): Statement {
  if (place.isContinuing) refuse(at, "'return' is not accepted in 'continuing'")
  if (place.result === undefined) {
    if (value !== undefined) refuse(at, 'the function has no result type')
    return { kind: 'return', at, value: undefined }
  }
  if (value === undefined) return refuse(at, `the function returns ${typeName(place.result)}`)
  return { kind: 'return', at, value: checkTyped(place.scope, value, place.result, 'the result') }
}

function checkDeclaration(
  { scope, nextId }: Place,
  {
    at,
    how,
    name,
    nameAt,
    type: typeSyntax,
    value: valueSyntax,
  }: Extract<StatementSyntax, { kind: 'declare' }>,
): Statement | undefined {
  if (how === 'var' && typeSyntax?.name === 'array') {
    const variable = checkLocalArray(scope, nameAt, name, typeSyntax, nextId)
    if (valueSyntax !== undefined) refuse(valueSyntax.at, 'an array begins as zeros; assign its elements')
    declare(scope, nameAt, name, { kind: 'variable', variable })
    return { kind: 'declare', at, variable, value: undefined }
  }
  const type = typeSyntax === undefined ? undefined : expectValueType(typeSyntax)
  const checked = valueSyntax === undefined ? undefined : checkExpression(scope, valueSyntax)
  const value = checked === undefined || type === undefined ? checked : coerce(checked, type, `'${name}'`)
  if (how === 'const') {
    if (value?.kind !== 'constant' && value?.kind !== 'abstract') {
      return refuse(valueSyntax?.at ?? at, `the value of 'const ${name}' is not a constant scalar`)
    }
    declare(scope, nameAt, name, { kind: 'constant', value })
    return undefined
  }
  const initial = value === undefined ? undefined : concrete(value)
  const known = type ?? initial?.type
  if (known === undefined) return refuse(at, `'var ${name}' needs a type or a value`)
  const variable: Variable = {
    at: nameAt,
    name,
    id: nextId(),
    isMutable: how === 'var',
    type: known,
    length: undefined,
    builtin: undefined,
  }
  declare(scope, nameAt, name, { kind: 'variable', variable })
  return { kind: 'declare', at, variable, value: initial }
}

function checkLocalArray(
  scope: Scope,
  at: Position,
  name: string,
  { at: typeAt, element, length }: TypeSyntax,
  nextId: () => number,
): Variable {
  if (element === undefined || length === undefined) {
    return refuse(typeAt, 'a local array has an element type and a length: `array<u32, 16>`')
  }
  const type = expectValueType(element)
  const count = checkCount(scope, length, 1, localBytesMax / 4, 'the length of the array')
  return { at, name, id: nextId(), isMutable: true, type, length: count, builtin: undefined }
}

function checkAssignment(
  scope: Scope,
  { at, target: targetSyntax, operator, value: valueSyntax }: Extract<StatementSyntax, { kind: 'assign' }>,
): Statement {
  const { target, current } = checkTarget(scope, targetSyntax)
  const { type } = current
  const checked = checkExpression(scope, valueSyntax)
  if (operator === undefined)
    return { kind: 'assign', at, target, operator, value: coerce(checked, type, 'the target') }
  const result = checkBinary(at, operator, current, checked)
  if (result.kind !== 'binary' || !sameType(result.type, type)) {
    return refuse(at, `'${operator}=' does not give ${typeName(type)}`)
  }
  return { kind: 'assign', at, target, operator, value: result.right }
}

/** What is assigned to, and the same place as a value, which has its type. */
function checkTarget(scope: Scope, syntax: ExpressionSyntax): { target: Target; current: Expression } {
  const { at } = syntax
  if (syntax.kind === 'member') {
    const { target, current } = checkTarget(scope, syntax.object)
    const components = readSwizzle(at, syntax.name, current.type)
    const [component] = components
    if (component === undefined || components.length !== 1 || target.component !== undefined) {
      return refuse(at, 'one component is assigned at a time')
    }
    const type = { of: current.type.of, width: 1 } as const
    return {
      target: { ...target, component },
      current: { kind: 'components', at, type, vector: current, components },
    }
  }
  const element = checkElement(scope, syntax)
  if (element !== undefined) {
    refuseReadOnly(at, element)
    const { type } = element
    return {
      target: { kind: 'element', at, component: undefined, ...element },
      current: { kind: 'element', at, ...element, type },
    }
  }
  if (syntax.kind !== 'name') return refuse(at, 'this cannot be assigned to')
  const meaning = lookUp(scope, at, syntax.name)
  if (meaning.kind !== 'variable') return refuse(at, `'${syntax.name}' cannot be assigned to`)
  const { variable } = meaning
  if (variable.length !== undefined) refuse(at, `'${syntax.name}' is an array: assign its elements`)
  if (!variable.isMutable) refuse(at, `'${syntax.name}' is not a 'var' and keeps its value`)
  return {
    target: { kind: 'local', variable, component: undefined },
    current: { kind: 'local', at, type: variable.type, variable },
  }
}

function refuseReadOnly(at: Position, { array }: Element): void {
  if (array.kind === 'local') return
  const { name, access, layout } = array.buffer
  if (access !== 'readWrite') refuse(at, `'${name}' is read only`)
  if (layout.kind === 'array' && layout.isAtomic) refuse(at, `'${name}' holds atomics: use atomicStore`)
}

function checkEvaluation(
  scope: Scope,
  { at, value, isPhony }: Extract<StatementSyntax, { kind: 'evaluate' }>,
): Statement {
  if (isPhony) return { kind: 'evaluate', at, value: concrete(checkExpression(scope, value)), hasValue: true }
  if (value.kind !== 'call') return refuse(at, 'expected a call')
  const call = checkCall(scope, value, true)
  if (call.kind === 'atomic')
    return { kind: 'evaluate', at, value: call, hasValue: call.name !== 'atomicStore' }
  if (call.kind !== 'call') return refuse(at, `'${value.callee.name}' has no effect: use its value`)
  return { kind: 'evaluate', at, value: call, hasValue: call.callee.result !== undefined }
}

function checkSwitch(place: Place, syntax: Extract<StatementSyntax, { kind: 'switch' }>): Statement {
  const { at } = syntax
  const selector = concrete(checkExpression(place.scope, syntax.selector))
  if (!isInteger(selector.type) || selector.type.width !== 1) {
    refuse(syntax.selector.at, `'switch' takes i32 or u32, found ${typeName(selector.type)}`)
  }
  const inside = { ...place, canBreak: true }
  const seen = new Set<number>()
  let defaults = 0
  const checkClause = (clause: ClauseSyntax): Clause => {
    const values: number[] = []
    let isDefault = false
    for (const one of clause.selectors) {
      if (one === undefined) {
        isDefault = true
        if (++defaults > 1) refuse(clause.at, "'switch' has more than one default")
        continue
      }
      const value = checkTyped(place.scope, one, selector.type, 'the case')
      if (value.kind !== 'constant') return refuse(one.at, 'the case is not a constant')
      if (seen.has(value.value)) refuse(one.at, `the case ${value.value} is there twice`)
      seen.add(value.value)
      values.push(value.value)
    }
    return { values, isDefault, body: checkBlock(inside, clause.body) }
  }
  const clauses = syntax.clauses.map(checkClause)
  if (defaults === 0) refuse(at, "'switch' needs a default")
  return { kind: 'switch', at, selector, clauses }
}

function checkLoop(
  place: Place,
  syntax: Extract<StatementSyntax, { kind: 'for' | 'while' | 'loop' }>,
): Statement {
  const { at } = syntax
  const scope = openScope(place.scope)
  const head = { ...place, scope }
  const initial =
    syntax.kind === 'for' && syntax.initial !== undefined ? checkHead(head, syntax.initial) : undefined
  const condition =
    syntax.kind === 'loop' || syntax.condition === undefined
      ? undefined
      : checkTyped(scope, syntax.condition, bool, 'the condition')
  const bodyScope = openScope(scope)
  const body = checkList({ ...head, scope: bodyScope, canBreak: true, canContinue: true }, syntax.body)
  if (syntax.kind === 'for') {
    const update = syntax.update === undefined ? undefined : checkHead(head, syntax.update)
    return {
      kind: 'loop',
      at,
      initial,
      condition,
      body,
      update: update === undefined ? [] : [update],
      breakIf: undefined,
    }
  }
  if (syntax.kind === 'while')
    return { kind: 'loop', at, initial, condition, body, update: [], breakIf: undefined }
  bodyScope.isSealed = true
  const inside = openScope(bodyScope)
  const continuing = { ...place, scope: inside, canBreak: false, canContinue: false, isContinuing: true }
  const update = checkList(continuing, syntax.continuing ?? [])
  const breakIf =
    syntax.breakIf === undefined
      ? undefined
      : checkTyped(inside, syntax.breakIf, bool, "the condition of 'break if'")
  return { kind: 'loop', at, initial, condition, body, update, breakIf }
}

function checkHead(place: Place, syntax: StatementSyntax): Statement | undefined {
  const statement = checkStatement(place, syntax)
  if (statement?.kind === 'assign' && statement.target.kind === 'element') {
    refuse(syntax.at, "the head of 'for' assigns to variables only, not to elements")
  }
  return statement
}
