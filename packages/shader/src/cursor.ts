/** The parser's place among the tokens, and the bound on how deep it has gone. */

import type { Token } from './lexer.ts'
import { expressionNestingMax, statementNestingMax } from './limits.ts'
import { type Position, refuse } from './position.ts'

export interface Cursor {
  readonly token: Token
  /** The token after this one. */
  readonly following: Token
  /** Whether this mark, keyword or template bracket is next. */
  is(text: string): boolean
  take(): Token
  /** Takes the mark, keyword or template bracket when it is next. */
  skip(text: string): boolean
  expect(text: string, where: string): Token
  /** Runs one level deeper; refuses the level that is too deep. */
  nested<T>(what: Nesting, at: Position, work: () => T): T
}

/** Blocks and expressions are counted apart: one expression stands in the innermost block. */
export type Nesting = 'statements' | 'expressions'

export const nestingMax: Readonly<Record<Nesting, number>> = {
  statements: statementNestingMax,
  expressions: expressionNestingMax,
}

export const keywords = new Set(
  (
    'alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if ' +
    'let loop override requires return struct switch true var while'
  ).split(' '),
)

export function createCursor(tokens: readonly Token[]): Cursor {
  const last = tokens.at(-1)
  if (last === undefined) throw new Error('the lexer ends every source with a token')
  let index = 0
  const depths = { statements: 0, expressions: 0 }
  const at = (place: number): Token => tokens[place] ?? last
  const is = (text: string): boolean => {
    const token = at(index)
    return token.text === text && token.kind !== 'end'
  }
  return {
    is,
    get token() {
      return at(index)
    },
    get following() {
      return at(index + 1)
    },
    take: () => at(index++),
    skip(text) {
      if (!is(text)) return false
      index++
      return true
    },
    expect(text, where) {
      const token = at(index)
      if (!is(text)) refuse(token, `expected '${text}' ${where}, found '${token.text}'`)
      index++
      return token
    },
    nested(what, place, work) {
      if (++depths[what] > nestingMax[what]) refuseNesting(what, place)
      const value = work()
      depths[what]--
      return value
    },
  }
}

export function refuseNesting(what: Nesting, at: Position): never {
  return refuse(at, `${what} nested deeper than ${nestingMax[what]} levels`)
}

/** A name that may be declared or looked up. */
export function takeName(cursor: Cursor, what: string): Token {
  const { token } = cursor
  if (token.kind !== 'name' || keywords.has(token.text) || token.text === '_') {
    refuse(token, `expected ${what}, found '${token.text}'`)
  }
  return cursor.take()
}

/** Closes a template list; a `>` that compares is another token. */
export function takeTemplateEnd(cursor: Cursor): void {
  if (cursor.token.kind !== 'templateEnd') refuse(cursor.token, `expected '>', found '${cursor.token.text}'`)
  cursor.take()
}
