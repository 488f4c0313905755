/** Visits every statement and every expression of a body once, outer before inner. */
import type { Expression, Statement } from './shader.ts'

export interface Visitor {
  readonly statement?: (statement: Statement) => void
  /** After everything that stands in the statement. */
  readonly leave?: (statement: Statement) => void
  readonly expression?: (expression: Expression) => void
}

export function walk(body: readonly Statement[], visitor: Visitor): void {
  for (const statement of body) walkStatement(statement, visitor)
}

function walkStatement(statement: Statement, visitor: Visitor): void {
  visitor.statement?.(statement)
  walkParts(statement, visitor)
  visitor.leave?.(statement)
}

function walkParts(statement: Statement, visitor: Visitor): void {
  const expression = (value: Expression | undefined): void => {
    if (value !== undefined) walkExpression(value, visitor)
  }
  switch (statement.kind) {
    case 'block':
      return walk(statement.body, visitor)
    case 'declare':
    case 'return':
      return expression(statement.value)
    case 'assign':
      if (statement.target.kind === 'element') expression(statement.target.index)
      return expression(statement.value)
    case 'evaluate':
      return expression(statement.value)
    case 'if':
      expression(statement.condition)
      walk(statement.whenTrue, visitor)
      return walk(statement.whenFalse, visitor)
    case 'switch':
      expression(statement.selector)
      for (const clause of statement.clauses) walk(clause.body, visitor)
      return
    case 'loop':
      if (statement.initial !== undefined) walkStatement(statement.initial, visitor)
      expression(statement.condition)
      walk(statement.body, visitor)
      walk(statement.update, visitor)
      return expression(statement.breakIf)
    case 'break':
    case 'continue':
      return
  }
}

export function walkExpression(expression: Expression, visitor: Visitor): void {
  visitor.expression?.(expression)
  for (const part of parts(expression)) walkExpression(part, visitor)
}

function parts(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'constant':
    case 'local':
    case 'uniform':
    case 'arrayLength':
      return []
    case 'element':
      return [expression.index]
    case 'components':
      return [expression.vector]
    case 'component':
      return [expression.vector, expression.index]
    case 'unary':
      return [expression.operand]
    case 'binary':
      return [expression.left, expression.right]
    case 'vector':
    case 'builtin':
    case 'call':
      return expression.values
    case 'convert':
    case 'bitcast':
      return [expression.value]
    case 'atomic':
      return expression.value === undefined
        ? [expression.element.index]
        : [expression.element.index, expression.value]
  }
}
