// Reads what a TypeScript file imports, from its tokens: static, dynamic, re-export, type-only, require, and the
// `new URL('./x.ts', import.meta.url)` by which a worker's file is named.

/** @typedef {import('./tokens.mjs').Token} Token */

/**
 * @typedef {{ specifier: string, line: number, form: 'static' | 'type' | 'dynamic' | 'url' }} Import
 *   A dynamic import of something that is computed has the specifier ''.
 */

/**
 * @param {readonly Token[]} tokens
 * @returns {Import[]}
 */
export function readImports(tokens) {
  return tokens.flatMap((token, index) => {
    if (token.kind !== 'name' || isMember(tokens[index - 1])) return []
    const found = read(token.text, tokens, index)
    return found === undefined ? [] : [{ ...found, line: token.line }]
  })
}

/**
 * @param {string} word
 * @param {readonly Token[]} tokens
 * @param {number} index
 * @returns {Omit<Import, 'line'> | undefined}
 */
function read(word, tokens, index) {
  const next = tokens[index + 1]
  if (word === 'import' && next?.kind === 'string') return { specifier: next.text, form: 'static' }
  if ((word === 'import' || word === 'require') && next?.text === '(') return called(tokens, index + 2)
  if (word === 'require' && next?.text === '.' && tokens[index + 3]?.text === '(')
    return called(tokens, index + 4)
  if (word === 'import' && next?.text === '.' && tokens[index + 2]?.text === 'meta')
    return resolved(tokens, index + 3)
  if (word === 'import') return clause(tokens, index + 1)
  if (word === 'export' && startsReExport(tokens, index + 1)) return clause(tokens, index + 1)
  if (word === 'URL' && tokens[index - 1]?.text === 'new') return url(tokens, index + 1)
  return undefined
}

/**
 * Walks over `type { a, b as c } from` to the path that it names.
 * @param {readonly Token[]} tokens
 * @param {number} start
 * @returns {Omit<Import, 'line'> | undefined}
 */
function clause(tokens, start) {
  for (let at = start; at < tokens.length; at += 1) {
    const token = tokens[at]
    if (token === undefined) return undefined
    if (token.kind === 'string' && tokens[at - 1]?.text === 'from') {
      const isType = tokens[start]?.text === 'type' && tokens[start + 1]?.text !== 'from'
      return { specifier: token.text, form: isType ? 'type' : 'static' }
    }
    if (token.kind === 'mark' && !['{', '}', ',', '*'].includes(token.text)) return undefined
    if (token.kind !== 'mark' && token.kind !== 'name' && token.kind !== 'string') return undefined
    // `export { a }` without a path: what follows it is the next statement.
    if (tokens[at - 1]?.text === '}' && token.text !== 'from') return undefined
  }
  return undefined
}

/**
 * @param {readonly Token[]} tokens
 * @param {number} at
 */
function startsReExport(tokens, at) {
  const first = tokens[at]?.text === 'type' ? tokens[at + 1] : tokens[at]
  return first?.kind === 'mark' && (first.text === '{' || first.text === '*')
}

/**
 * @param {readonly Token[]} tokens
 * @param {number} at
 * @returns {Omit<Import, 'line'>}
 */
function called(tokens, at) {
  const [argument, after] = [tokens[at], tokens[at + 1]]
  const isLiteral = (argument?.kind === 'string' || argument?.kind === 'template') && argument.text !== ''
  const isWhole = after?.text === ')' || after?.text === ','
  return { specifier: isLiteral && isWhole ? argument.text : '', form: 'dynamic' }
}

/**
 * `import.meta.resolve('x')`; any other use of `import.meta` names no file.
 * @param {readonly Token[]} tokens
 * @param {number} at
 */
function resolved(tokens, at) {
  const isCall =
    tokens[at]?.text === '.' && tokens[at + 1]?.text === 'resolve' && tokens[at + 2]?.text === '('
  return isCall ? called(tokens, at + 3) : undefined
}

/**
 * @param {readonly Token[]} tokens
 * @param {number} at
 * @returns {Omit<Import, 'line'> | undefined}
 */
function url(tokens, at) {
  const words = tokens.slice(at, at + 6).map((token) => token.text)
  const [open, file = '', comma, word, dot, meta] = words
  const isOurs = open === '(' && comma === ',' && word === 'import' && dot === '.' && meta === 'meta'
  return isOurs && /\.[cm]?[jt]sx?$/.test(file) ? { specifier: file, form: 'url' } : undefined
}

/** @param {Token} [before] */
const isMember = (before) => before?.kind === 'mark' && (before.text === '.' || before.text === '?.')
