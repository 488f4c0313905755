/** A whole source: its declarations (spec H4). Directives and everything that is not listed here are refused. */
import { type Cursor, createCursor, takeName, takeTemplateEnd } from './cursor.ts'
import { readTokens } from './lexer.ts'
import { parseExpression, parseType } from './parseExpression.ts'
import { parseBlock } from './parseStatement.ts'
import { refuse } from './position.ts'
import type {
  AttributeSyntax,
  DeclarationSyntax,
  ExpressionSyntax,
  FieldSyntax,
  TypeSyntax,
} from './syntax.ts'

const refusedWords = new Map([
  ['enable', "the directive 'enable' is not accepted: no extension is"],
  ['requires', "the directive 'requires' is not accepted"],
  ['diagnostic', "the directive 'diagnostic' is not accepted"],
  ['override', "'override' is not accepted: write a 'const', or pass a uniform"],
  ['alias', "'alias' is not accepted: write the type"],
  ['const_assert', "'const_assert' is not accepted"],
  ['let', "'let' belongs in a function: write 'const'"],
])

export function parseModule(source: string): readonly DeclarationSyntax[] {
  const cursor = createCursor(readTokens(source))
  const declarations: DeclarationSyntax[] = []
  while (cursor.token.kind !== 'end') {
    if (cursor.skip(';')) continue
    declarations.push(parseDeclaration(cursor))
  }
  return declarations
}

function parseDeclaration(cursor: Cursor): DeclarationSyntax {
  const attributes = parseAttributes(cursor)
  const { token } = cursor
  const at = { line: token.line, column: token.column }
  const refused = refusedWords.get(token.text)
  if (refused !== undefined) refuse(at, refused)
  if (token.text === 'fn') return parseFunction(cursor, attributes)
  if (token.text === 'var') return parseBuffer(cursor, attributes)
  const [attribute] = attributes
  if (attribute !== undefined) refuse(attribute.at, `the attribute '@${attribute.name}' has no place here`)
  if (token.text === 'struct') return parseStruct(cursor)
  if (token.text !== 'const') refuse(at, `expected a declaration, found '${token.text}'`)
  cursor.take()
  const name = takeName(cursor, 'the name of the constant')
  const type = cursor.skip(':') ? parseType(cursor) : undefined
  cursor.expect('=', `after 'const ${name.text}'`)
  const value = parseExpression(cursor)
  cursor.expect(';', 'after the declaration')
  return { kind: 'const', at: name, name: name.text, type, value }
}

function parseAttributes(cursor: Cursor): AttributeSyntax[] {
  const attributes: AttributeSyntax[] = []
  while (cursor.is('@')) {
    const { line, column } = cursor.take()
    // `diagnostic` and `const` are keywords as well; whoever reads the attribute refuses what it does not know.
    if (cursor.token.kind !== 'name')
      refuse(cursor.token, `expected the name of an attribute, found '${cursor.token.text}'`)
    const name = cursor.take().text
    const values: ExpressionSyntax[] = []
    if (cursor.skip('(')) {
      while (!cursor.skip(')')) {
        values.push(parseExpression(cursor))
        if (cursor.skip(',')) continue
        cursor.expect(')', `after the arguments of '@${name}'`)
        break
      }
    }
    attributes.push({ at: { line, column }, name, values })
  }
  return attributes
}

function parseFields(cursor: Cursor, end: string, what: string): FieldSyntax[] {
  const fields: FieldSyntax[] = []
  while (!cursor.skip(end)) {
    const attributes = parseAttributes(cursor)
    const name = takeName(cursor, `the name of a ${what}`)
    cursor.expect(':', `after the ${what} '${name.text}'`)
    fields.push({ at: name, name: name.text, type: parseType(cursor), attributes })
    if (cursor.skip(',')) continue
    cursor.expect(end, `or ',' after the ${what}`)
    break
  }
  return fields
}

function parseStruct(cursor: Cursor): DeclarationSyntax {
  cursor.take()
  const name = takeName(cursor, 'the name of the struct')
  cursor.expect('{', 'to open the struct')
  return { kind: 'struct', at: name, name: name.text, members: parseFields(cursor, '}', 'member') }
}

function parseBuffer(cursor: Cursor, attributes: readonly AttributeSyntax[]): DeclarationSyntax {
  cursor.take()
  const space: string[] = []
  if (cursor.token.kind === 'templateStart') {
    cursor.take()
    do space.push(takeName(cursor, 'an address space').text)
    while (cursor.skip(','))
    takeTemplateEnd(cursor)
  }
  const name = takeName(cursor, 'the name of the variable')
  cursor.expect(':', `after '${name.text}'`)
  const type = parseType(cursor)
  if (cursor.is('=')) refuse(cursor.token, 'a binding has no initial value')
  cursor.expect(';', 'after the declaration')
  return { kind: 'buffer', at: name, name: name.text, space, type, attributes }
}

function parseFunction(cursor: Cursor, attributes: readonly AttributeSyntax[]): DeclarationSyntax {
  cursor.take()
  const name = takeName(cursor, 'the name of the function')
  cursor.expect('(', `after 'fn ${name.text}'`)
  const parameters = parseFields(cursor, ')', 'parameter')
  let result: TypeSyntax | undefined
  if (cursor.skip('->')) {
    const [attribute] = parseAttributes(cursor)
    if (attribute !== undefined) refuse(attribute.at, `the attribute '@${attribute.name}' has no place here`)
    result = parseType(cursor)
  }
  const body = parseBlock(cursor, 'to open the function')
  return { kind: 'function', at: name, name: name.text, attributes, parameters, result, body }
}
