/** Statements (spec H6). */
import { type Cursor, takeName } from './cursor.ts'
import { parseExpression, parsePostfix, parseType } from './parseExpression.ts'
import { type Position, refuse } from './position.ts'
import type { AssignmentOperator, ClauseSyntax, ExpressionSyntax, StatementSyntax } from './syntax.ts'

const compounds = new Map<string, AssignmentOperator>(
  (['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>'] as const).map((operator) => [
    `${operator}=`,
    operator,
  ]),
)

function positionOf({ token }: Cursor): Position {
  return { line: token.line, column: token.column }
}

export function parseBlock(cursor: Cursor, where: string): StatementSyntax[] {
  const open = cursor.expect('{', where)
  return cursor.nested('statements', open, () => {
    const body: StatementSyntax[] = []
    while (!cursor.skip('}')) {
      if (cursor.skip(';')) continue
      body.push(parseStatement(cursor))
    }
    return body
  })
}

function parseStatement(cursor: Cursor): StatementSyntax {
  const at = positionOf(cursor)
  switch (cursor.token.text) {
    case '{':
      return { kind: 'block', at, body: parseBlock(cursor, 'to open a block') }
    case 'if':
      return parseIf(cursor)
    case 'switch':
      return parseSwitch(cursor)
    case 'for':
      return parseFor(cursor)
    case 'while': {
      cursor.take()
      const condition = parseExpression(cursor)
      return { kind: 'while', at, condition, body: parseBlock(cursor, "after the condition of 'while'") }
    }
    case 'loop':
      return parseLoop(cursor)
    case 'discard':
      return refuse(at, "'discard' is not accepted: it is for fragment shaders")
    case 'const_assert':
      return refuse(at, "'const_assert' is not accepted")
    case '@':
      return refuse(at, 'attributes are accepted on bindings, on the entry point and on its parameters only')
  }
  const statement = parseEnded(cursor)
  cursor.expect(';', 'after the statement')
  return statement
}

/** A statement that ends with a semicolon. */
function parseEnded(cursor: Cursor): StatementSyntax {
  const at = positionOf(cursor)
  switch (cursor.token.text) {
    case 'break':
      cursor.take()
      if (cursor.is('if')) refuse(at, "'break if' stands last in a 'continuing' block only")
      return { kind: 'break', at }
    case 'continue':
      cursor.take()
      return { kind: 'continue', at }
    case 'return':
      cursor.take()
      return { kind: 'return', at, value: cursor.is(';') ? undefined : parseExpression(cursor) }
  }
  return parseSimple(cursor)
}

/** A declaration, an assignment or a call: what the head of a `for` may hold as well. */
function parseSimple(cursor: Cursor): StatementSyntax {
  const at = positionOf(cursor)
  const { text } = cursor.token
  if (text === 'const' || text === 'let' || text === 'var') {
    cursor.take()
    if (cursor.token.kind === 'templateStart') refuse(at, 'address spaces belong to module-scope variables')
    const name = takeName(cursor, 'a name')
    const type = cursor.skip(':') ? parseType(cursor) : undefined
    const value = cursor.skip('=') ? parseExpression(cursor) : undefined
    if (value === undefined && text !== 'var') refuse(at, `'${text} ${name.text}' needs a value`)
    return { kind: 'declare', at, how: text, name: name.text, nameAt: name, type, value }
  }
  if (text === '_') {
    cursor.take()
    cursor.expect('=', "after '_'")
    return { kind: 'evaluate', at, value: parseExpression(cursor), isPhony: true }
  }
  if (text === '*' || text === '&') refuse(at, 'pointers are not accepted: pass values')
  if (cursor.token.kind !== 'name') refuse(at, `expected a statement, found '${text}'`)
  const target = parsePostfix(cursor)
  const operator = cursor.token
  if (operator.text === '++' || operator.text === '--') {
    cursor.take()
    const one: ExpressionSyntax = { kind: 'integer', at, value: 1n, suffix: '', depth: 1 }
    return { kind: 'assign', at, target, operator: operator.text === '++' ? '+' : '-', value: one }
  }
  if (cursor.skip('='))
    return { kind: 'assign', at, target, operator: undefined, value: parseExpression(cursor) }
  const compound = compounds.get(operator.text)
  if (compound !== undefined) {
    cursor.take()
    return { kind: 'assign', at, target, operator: compound, value: parseExpression(cursor) }
  }
  if (target.kind === 'call') return { kind: 'evaluate', at, value: target, isPhony: false }
  return refuse(operator, `expected an assignment, found '${operator.text}'`)
}

function parseIf(cursor: Cursor): StatementSyntax {
  const at = positionOf(cursor)
  cursor.take()
  const condition = parseExpression(cursor)
  const whenTrue = parseBlock(cursor, "after the condition of 'if'")
  if (!cursor.skip('else')) return { kind: 'if', at, condition, whenTrue, whenFalse: undefined }
  if (!cursor.is('if')) {
    return { kind: 'if', at, condition, whenTrue, whenFalse: parseBlock(cursor, "after 'else'") }
  }
  return cursor.nested('statements', at, () => ({
    kind: 'if',
    at,
    condition,
    whenTrue,
    whenFalse: [parseIf(cursor)],
  }))
}

function parseSwitch(cursor: Cursor): StatementSyntax {
  const at = positionOf(cursor)
  cursor.take()
  const selector = parseExpression(cursor)
  const open = cursor.expect('{', "after the selector of 'switch'")
  const clauses: ClauseSyntax[] = []
  // The clauses are a level of their own, as they are to compilers.
  cursor.nested('statements', open, () => {
    while (!cursor.skip('}')) {
      const clauseAt = positionOf(cursor)
      const selectors: (ExpressionSyntax | undefined)[] = []
      if (cursor.skip('default')) selectors.push(undefined)
      else {
        cursor.expect('case', "or 'default' in 'switch'")
        do {
          if (cursor.is(':') || cursor.is('{')) break
          selectors.push(cursor.skip('default') ? undefined : parseExpression(cursor))
        } while (cursor.skip(','))
      }
      if (selectors.length === 0) refuse(clauseAt, "'case' needs a value")
      cursor.skip(':')
      clauses.push({ at: clauseAt, selectors, body: parseBlock(cursor, 'to open the clause') })
    }
  })
  return { kind: 'switch', at, selector, clauses }
}

function parseFor(cursor: Cursor): StatementSyntax {
  const at = positionOf(cursor)
  cursor.take()
  cursor.expect('(', "after 'for'")
  const initial = cursor.is(';') ? undefined : parseSimple(cursor)
  cursor.expect(';', "in the head of 'for'")
  const condition = cursor.is(';') ? undefined : parseExpression(cursor)
  cursor.expect(';', "in the head of 'for'")
  const update = cursor.is(')') ? undefined : parseSimple(cursor)
  if (update?.kind === 'declare') refuse(update.at, "the update of 'for' declares nothing")
  cursor.expect(')', "after the head of 'for'")
  return { kind: 'for', at, initial, condition, update, body: parseBlock(cursor, "after the head of 'for'") }
}

function parseLoop(cursor: Cursor): StatementSyntax {
  const at = positionOf(cursor)
  cursor.take()
  const open = cursor.expect('{', "after 'loop'")
  return cursor.nested('statements', open, () => {
    const body: StatementSyntax[] = []
    while (!cursor.skip('}')) {
      if (cursor.skip(';')) continue
      if (cursor.skip('continuing')) {
        const { continuing, breakIf } = parseContinuing(cursor)
        cursor.expect('}', "after 'continuing', which stands last in 'loop'")
        return { kind: 'loop', at, body, continuing, breakIf }
      }
      body.push(parseStatement(cursor))
    }
    return { kind: 'loop', at, body, continuing: undefined, breakIf: undefined }
  })
}

function parseContinuing(cursor: Cursor) {
  const open = cursor.expect('{', "after 'continuing'")
  return cursor.nested('statements', open, () => {
    const continuing: StatementSyntax[] = []
    while (!cursor.skip('}')) {
      if (cursor.skip(';')) continue
      if (cursor.is('break') && cursor.following.text === 'if') {
        cursor.take()
        cursor.take()
        const breakIf = parseExpression(cursor)
        cursor.expect(';', "after 'break if'")
        cursor.expect('}', "after 'break if', which stands last in 'continuing'")
        return { continuing, breakIf }
      }
      continuing.push(parseStatement(cursor))
    }
    return { continuing, breakIf: undefined }
  })
}
