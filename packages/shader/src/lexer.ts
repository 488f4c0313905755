/**
 * A source as tokens with positions (spec H3). Only printable ASCII, newlines and tabs are accepted, so what a person
 * reads is what a compiler reads: no homoglyphs, no invisible letters, no second kind of line end.
 */
import { nameLengthMax, sourceBytesMax } from './limits.ts'
import { type Position, refuse } from './position.ts'
import { discoverTemplates, skipBlanks } from './templates.ts'

export interface Token extends Position {
  readonly kind: 'name' | 'integer' | 'float' | 'mark' | 'templateStart' | 'templateEnd' | 'end'
  readonly text: string
}

const namePattern = /[A-Za-z_][A-Za-z0-9_]*/y
const floatPattern =
  /(?:[0-9]+[eE][+-]?[0-9]+|[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+\.(?:[eE][+-]?[0-9]+)?)f?|(?:0|[1-9][0-9]*)f/y
const integerPattern = /(?:0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)[iu]?/y
/** Longest first. */
const marks = [
  ...['<<=', '>>='],
  ...['->', '++', '--', '&&', '||', '==', '!=', '<=', '>=', '<<', '>>'],
  ...['+=', '-=', '*=', '/=', '%=', '&=', '|=', '^='],
  ...'(){}[];:,.@=<>+-*/%&|^~!',
]

/** Refuses a source that is too long or has a letter that is not accepted. */
function refuseLetters(source: string): void {
  if (source.length > sourceBytesMax) {
    refuse({ line: 1, column: 1 }, `the source has ${source.length} bytes, the limit is ${sourceBytesMax}`)
  }
  let line = 1
  let column = 1
  for (let index = 0; index < source.length; index++) {
    const code = source.charCodeAt(index)
    if (code !== 9 && code !== 10 && (code < 32 || code > 126)) {
      const shown = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
      refuse(
        { line, column },
        `the character ${shown} is not accepted: write printable ASCII, newlines and tabs`,
      )
    }
    if (code === 10) {
      line++
      column = 1
    } else column++
  }
}

export function readTokens(source: string): readonly Token[] {
  refuseLetters(source)
  const { starts, ends } = discoverTemplates(source)
  const tokens: Token[] = []
  let line = 1
  let lineStart = 0
  let counted = 0
  let index = 0
  const positionOf = (at: number): Position => {
    for (; counted < at; counted++) {
      if (source[counted] !== '\n') continue
      line++
      lineStart = counted + 1
    }
    return { line, column: at - lineStart + 1 }
  }
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = index
    return pattern.exec(source)?.[0]
  }
  const read = (): Pick<Token, 'kind' | 'text'> => {
    if (starts.has(index)) return { kind: 'templateStart', text: '<' }
    if (ends.has(index)) return { kind: 'templateEnd', text: '>' }
    const name = match(namePattern)
    if (name !== undefined) return { kind: 'name', text: name }
    const float = match(floatPattern)
    if (float !== undefined) return { kind: 'float', text: float }
    const integer = match(integerPattern)
    if (integer !== undefined) return { kind: 'integer', text: integer }
    const mark = marks.find((candidate) => source.startsWith(candidate, index))
    if (mark !== undefined) return { kind: 'mark', text: mark }
    return refuse(positionOf(index), `the character '${source[index]}' has no meaning here`)
  }
  while (true) {
    index = skipBlanks(source, index)
    const at = positionOf(index)
    if (source.startsWith('/*', index)) refuse(at, 'the comment is not closed (comments nest)')
    if (index === source.length) {
      tokens.push({ kind: 'end', text: 'the end of the source', ...at })
      return tokens
    }
    const token = { ...read(), ...at }
    index += token.text.length
    if (token.kind === 'name' && token.text.length > nameLengthMax) {
      refuse(at, `the name has ${token.text.length} letters, the limit is ${nameLengthMax}`)
    }
    if ((token.kind === 'integer' || token.kind === 'float') && /[A-Za-z0-9_.]/.test(source[index] ?? '')) {
      refuse(at, `the number beginning with ${token.text} is malformed`)
    }
    tokens.push(token)
  }
}
