// Splits TypeScript into tokens, so that a comment, a string or a regular expression that mentions a name is not
// mistaken for its use. It knows no grammar beyond that: the import reader and the purity rule look at tokens in a row.

/**
 * @typedef {{ kind: 'name' | 'string' | 'template' | 'number' | 'regex' | 'mark', text: string, line: number }} Token
 *   `text` of a string is its content; of a template, the content when nothing is interpolated and '' otherwise.
 */

const nameStart = /[\p{ID_Start}$_#\\]/u
const namePart = /[\p{ID_Continue}$\\]/u
const digit = /[0-9]/
const numberPart = /[0-9a-zA-Z_.]/
// After one of these a slash begins a regular expression; after any other name it divides.
const beforeRegex = new Set(
  'return typeof instanceof in of new delete void throw case do else yield await default'.split(' '),
)

export class TokenError extends Error {
  /**
   * @param {string} message
   * @param {number} line
   */
  constructor(message, line) {
    super(message)
    this.name = 'TokenError'
    this.line = line
  }
}

/**
 * @param {string} source
 * @param {{ jsx?: boolean }} [options] in JSX the text between tags may hold a lone quote: it then ends with its line
 * @returns {Token[]}
 */
export function tokenize(source, { jsx = false } = {}) {
  /** @type {Token[]} */
  const tokens = []
  /** Depth of braces at which each open template resumes. @type {number[]} */
  const templates = []
  let at = 0
  let line = 1
  let depth = 0

  const push = (/** @type {Token['kind']} */ kind, /** @type {string} */ text, startLine = line) =>
    tokens.push({ kind, text, line: startLine })

  /** Reads template text from `at` to its end or its next interpolation. */
  const readTemplate = (/** @type {boolean} */ isStart) => {
    const startLine = line
    const start = at
    for (;;) {
      const char = source[at]
      if (char === undefined) throw new TokenError('this template literal never ends', startLine)
      if (char === '`') {
        push('template', isStart ? source.slice(start, at) : '', startLine)
        at += 1
        return
      }
      if (char === '$' && source[at + 1] === '{') {
        push('template', '', startLine)
        at += 2
        templates.push(depth)
        depth += 1
        return
      }
      if (char === '\n') line += 1
      at += char === '\\' ? 2 : 1
      if (char === '\\' && source[at - 1] === '\n') line += 1
    }
  }

  const readString = (/** @type {string} */ quote) => {
    const startLine = line
    let text = ''
    for (at += 1; ; at += 1) {
      const char = source[at]
      if (char === quote) break
      if (char === undefined || char === '\n') {
        if (!jsx) throw new TokenError('this string never ends', startLine)
        push('string', text, startLine)
        return
      }
      if (char === '\\') {
        at += 1
        if (source[at] === '\n') line += 1
        // Escapes need no decoding here: no path or package name of ours holds one, and a kept backslash matches none.
        text += `\\${source[at] ?? ''}`
      } else text += char
    }
    at += 1
    push('string', text, startLine)
  }

  const readRegex = () => {
    const start = at
    let inClass = false
    for (at += 1; ; at += 1) {
      const char = source[at]
      if (char === undefined || char === '\n') {
        if (!jsx) throw new TokenError('this regular expression never ends', line)
        break
      }
      if (char === '\\') at += 1
      else if (char === '[') inClass = true
      else if (char === ']') inClass = false
      else if (char === '/' && !inClass) {
        at += 1
        break
      }
    }
    while (/[a-z]/.test(source[at] ?? '')) at += 1
    push('regex', source.slice(start, at))
  }

  const isRegexNext = () => {
    const before = tokens.at(-1)
    if (before === undefined) return true
    if (before.kind === 'name') return beforeRegex.has(before.text)
    return before.kind === 'mark' && ![')', ']', '}'].includes(before.text)
  }

  if (source.startsWith('#!')) at = endOfLine(source, 0)
  while (at < source.length) {
    const char = charAt(source, at)
    const next = source[at + 1]
    if (char === '\n') {
      line += 1
      at += 1
    } else if (/\s/.test(char)) at += 1
    else if (char === '/' && next === '/') at = endOfLine(source, at)
    else if (char === '/' && next === '*') {
      const end = source.indexOf('*/', at + 2)
      if (end === -1) throw new TokenError('this comment never ends', line)
      line += source.slice(at, end).split('\n').length - 1
      at = end + 2
    } else if (char === '"' || char === "'") readString(char)
    else if (char === '`') {
      at += 1
      readTemplate(true)
    } else if (char === '/' && isRegexNext()) readRegex()
    else if (nameStart.test(char)) {
      let end = at + char.length
      while (end < source.length && namePart.test(charAt(source, end))) end += charAt(source, end).length
      push('name', source.slice(at, end))
      at = end
    } else if (digit.test(char) || (char === '.' && digit.test(next ?? ''))) {
      let end = at + 1
      while (numberPart.test(source[end] ?? '')) end += 1
      push('number', source.slice(at, end))
      at = end
    } else {
      const mark = source.startsWith('...', at) ? '...' : source.startsWith('?.', at) ? '?.' : char
      at += mark.length
      if (mark === '{') depth += 1
      if (mark === '}') depth -= 1
      push('mark', mark)
      if (mark === '}' && templates.at(-1) === depth) {
        templates.pop()
        readTemplate(false)
      }
    }
  }
  return tokens
}

/**
 * @param {string} source
 * @param {number} at
 */
const charAt = (source, at) => String.fromCodePoint(source.codePointAt(at) ?? 0)

/**
 * @param {string} source
 * @param {number} at
 */
function endOfLine(source, at) {
  const end = source.indexOf('\n', at)
  return end === -1 ? source.length : end
}
