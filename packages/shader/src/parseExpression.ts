/**
 * Expressions and types (spec H5), in WGSL's own precedence: shifts and bitwise operators take plain operands,
 * comparisons do not chain, and `&&` does not mix with `||` without parentheses.
 */
import { type Cursor, refuseNesting, takeName, takeTemplateEnd } from './cursor.ts'
import { expressionNestingMax } from './limits.ts'
import { refuse } from './position.ts'
import type { BinaryOperator, ExpressionSyntax, TypeSyntax } from './syntax.ts'

const comparisons = new Set(['<', '<=', '>', '>=', '==', '!='])
const bitwise = new Set(['&', '|', '^'])
const sums = new Set(['+', '-'])
const products = new Set(['*', '/', '%'])
const shifts = new Set(['<<', '>>'])

/** What may hold template arguments; the lexer has already told brackets from comparisons. */
const generators = new Set(['array', 'atomic', 'bitcast', 'vec2', 'vec3', 'vec4'])

export function parseType(cursor: Cursor): TypeSyntax {
  const name = takeName(cursor, 'a type')
  return parseTemplate(cursor, name.text, { line: name.line, column: name.column })
}

function parseTemplate(cursor: Cursor, name: string, at: TypeSyntax['at']): TypeSyntax {
  if (cursor.token.kind !== 'templateStart') return { at, name, element: undefined, length: undefined }
  if (!generators.has(name))
    refuse(at, `'${name}' takes no template arguments; put comparisons in parentheses`)
  return cursor.nested('expressions', at, () => {
    cursor.take()
    const element = parseType(cursor)
    let length: ExpressionSyntax | undefined
    if (cursor.skip(',') && cursor.token.kind !== 'templateEnd') {
      if (name !== 'array') refuse(cursor.token, `'${name}' takes one template argument`)
      length = parseExpression(cursor)
      cursor.skip(',')
    }
    takeTemplateEnd(cursor)
    return { at, name, element, length }
  })
}

export function parseExpression(cursor: Cursor): ExpressionSyntax {
  return cursor.nested('expressions', cursor.token, () => {
    const first = parseComparison(cursor)
    const operator = cursor.token.text
    if (operator !== '&&' && operator !== '||') return first
    let left = first
    while (cursor.token.kind === 'mark' && cursor.token.text === operator) {
      cursor.take()
      left = binary(operator, left, parseComparison(cursor))
    }
    const after = cursor.token
    if (after.text === '&&' || after.text === '||')
      refuse(after, "'&&' and '||' need parentheses between them")
    return left
  })
}

function parseComparison(cursor: Cursor): ExpressionSyntax {
  const left = parseOperators(cursor)
  const operator = cursor.token
  if (operator.kind !== 'mark' || !comparisons.has(operator.text)) return left
  cursor.take()
  const right = parseOperators(cursor)
  const after = cursor.token
  if (after.kind === 'mark' && comparisons.has(after.text)) refuse(after, 'comparisons do not chain')
  return binary(operator.text as BinaryOperator, left, right)
}

/** Sums and products, or one shift, or a row of one bitwise operator. */
function parseOperators(cursor: Cursor): ExpressionSyntax {
  const first = parseUnary(cursor)
  const { token } = cursor
  if (token.kind !== 'mark') return first
  const operator = token.text
  if (shifts.has(operator)) {
    cursor.take()
    const shifted = binary(operator as BinaryOperator, first, parseUnary(cursor))
    refuseMixed(cursor)
    return shifted
  }
  if (bitwise.has(operator)) {
    let left = first
    while (cursor.skip(operator)) left = binary(operator as BinaryOperator, left, parseUnary(cursor))
    refuseMixed(cursor)
    return left
  }
  let sum = parseProduct(cursor, first)
  while (cursor.token.kind === 'mark' && sums.has(cursor.token.text)) {
    const plus = cursor.take()
    sum = binary(plus.text as BinaryOperator, sum, parseProduct(cursor, parseUnary(cursor)))
  }
  refuseMixed(cursor)
  return sum
}

function refuseMixed({ token }: Cursor): void {
  if (token.kind !== 'mark') return
  if ([shifts, bitwise, sums, products].some((operators) => operators.has(token.text))) {
    refuse(token, `'${token.text}' needs parentheses beside another operator`)
  }
}

function parseProduct(cursor: Cursor, first: ExpressionSyntax): ExpressionSyntax {
  let left = first
  while (cursor.token.kind === 'mark' && products.has(cursor.token.text)) {
    const times = cursor.take()
    left = binary(times.text as BinaryOperator, left, parseUnary(cursor))
  }
  return left
}

function parseUnary(cursor: Cursor): ExpressionSyntax {
  const { token } = cursor
  const at = { line: token.line, column: token.column }
  if (token.kind === 'mark' && token.text === '*') refuse(at, 'pointers are not accepted: pass values')
  if (
    token.kind === 'mark' &&
    (token.text === '-' || token.text === '!' || token.text === '~' || token.text === '&')
  ) {
    const operator = token.text
    cursor.take()
    const operand = cursor.nested('expressions', at, () => parseUnary(cursor))
    return deepen({ kind: 'unary', at, operator, operand, depth: operand.depth + 1 })
  }
  return parsePostfix(cursor)
}

/** A name, literal, call or parenthesis with its indices and members. */
export function parsePostfix(cursor: Cursor): ExpressionSyntax {
  let object = parsePrimary(cursor)
  while (true) {
    const { at } = object
    if (cursor.skip('[')) {
      const index = parseExpression(cursor)
      cursor.expect(']', 'after the index')
      object = deepen({ kind: 'index', at, object, index, depth: Math.max(object.depth, index.depth) + 1 })
    } else if (cursor.skip('.')) {
      const { text: name } = takeName(cursor, 'the name of a member')
      object = deepen({ kind: 'member', at, object, name, depth: object.depth + 1 })
    } else return object
  }
}

function parsePrimary(cursor: Cursor): ExpressionSyntax {
  const { token } = cursor
  const at = { line: token.line, column: token.column }
  if (token.kind === 'mark' && token.text === '(') {
    cursor.take()
    const inner = parseExpression(cursor)
    cursor.expect(')', "to close '('")
    return inner
  }
  if (token.kind === 'integer') {
    cursor.take()
    const suffix = /x/i.test(token.text)
      ? token.text.endsWith('u') || token.text.endsWith('i')
        ? token.text.slice(-1)
        : ''
      : token.text.replace(/[0-9]+/, '')
    const digits = token.text.slice(0, token.text.length - suffix.length)
    // No valid literal is longer, and a longer one would cost more than its length to read.
    if (digits.length > 20) refuse(at, 'the number is out of range')
    return { kind: 'integer', at, value: BigInt(digits), suffix: suffix as '' | 'i' | 'u', depth: 1 }
  }
  if (token.kind === 'float') {
    cursor.take()
    return { kind: 'float', at, text: token.text.replace(/f$/, ''), depth: 1 }
  }
  if (token.kind === 'name' && (token.text === 'true' || token.text === 'false')) {
    cursor.take()
    return { kind: 'bool', at, value: token.text === 'true', depth: 1 }
  }
  const name = takeName(cursor, 'an expression').text
  const isTemplated = cursor.token.kind === 'templateStart'
  if (!isTemplated && !cursor.is('(')) return { kind: 'name', at, name, depth: 1 }
  const callee = parseTemplate(cursor, name, at)
  cursor.expect('(', `to call '${name}'`)
  const values: ExpressionSyntax[] = []
  while (!cursor.skip(')')) {
    values.push(parseExpression(cursor))
    if (cursor.skip(',')) continue
    cursor.expect(')', `after the arguments of '${name}'`)
    break
  }
  const depth = values.reduce((deepest, value) => Math.max(deepest, value.depth), 0) + 1
  return deepen({ kind: 'call', at, callee, values, depth })
}

function binary(operator: BinaryOperator, left: ExpressionSyntax, right: ExpressionSyntax): ExpressionSyntax {
  const depth = Math.max(left.depth, right.depth) + 1
  return deepen({ kind: 'binary', at: left.at, operator, left, right, depth })
}

/** A long chain of operators is a deep tree although its text is flat. */
function deepen(node: ExpressionSyntax): ExpressionSyntax {
  if (node.depth > expressionNestingMax) refuseNesting('expressions', node.at)
  return node
}
