// Floors 0 and 1 are pure: no clock, no randomness, no I/O, nothing asynchronous, nothing of a particular host.
// The compiler already hides the DOM and Node from them; this names what the language itself would still let through.

/** @typedef {import('./tokens.mjs').Token} Token */

/** @type {ReadonlyMap<string, string>} */
const refused = new Map([
  ...words('a clock; take the time as an input', 'Date Temporal performance'),
  ...words('a timer; ask for it with an effect', 'setTimeout setInterval setImmediate queueMicrotask'),
  ...words('I/O; ask for it with an effect', 'fetch console'),
  ...words('asynchronous; rules are plain functions', 'async await Promise'),
  ...words('a host interface; take what it gives as an input', 'crypto process Bun globalThis'),
  ...words('code that cannot be read here', 'eval'),
  ...words('decided by the garbage collector', 'WeakRef FinalizationRegistry'),
])

/**
 * @param {string} reason
 * @param {string} names
 * @returns {Array<[string, string]>}
 */
function words(reason, names) {
  return names.split(' ').map((name) => [name, reason])
}

/**
 * @param {readonly Token[]} tokens
 * @returns {Array<{ line: number, message: string }>}
 */
export function impurities(tokens) {
  return tokens.flatMap((token, index) => {
    if (token.kind !== 'name' || isMember(tokens, index)) return []
    if (token.text.includes('\\'))
      return [{ line: token.line, message: `\`${token.text}\` hides a name behind an escape` }]
    if (token.text === 'Math') return mathUse(token, tokens[index + 1], tokens[index + 2])
    const reason = refused.get(token.text)
    if (reason === undefined || isLabel(tokens, index)) return []
    return [{ line: token.line, message: `\`${token.text}\` is ${reason}` }]
  })
}

/**
 * `Math` may only be followed by a name, or `const { random } = Math` would slip through.
 * @param {Token} token
 * @param {Token} [dot]
 * @param {Token} [name]
 */
function mathUse(token, dot, name) {
  if (dot?.text !== '.' && dot?.text !== '?.')
    return [
      { line: token.line, message: '`Math` may only be used as `Math.name`, so that its use can be read' },
    ]
  if (name?.text !== 'random') return []
  return [{ line: token.line, message: '`Math.random` is randomness; take a seed or a value as an input' }]
}

/**
 * A member of something else that happens to have such a name: `task.process`.
 * @param {readonly Token[]} tokens
 * @param {number} index
 */
function isMember(tokens, index) {
  const before = tokens[index - 1]
  return before?.kind === 'mark' && (before.text === '.' || before.text === '?.')
}

/**
 * The name of a field or of a parameter: `{ process: 1 }`, `(performance: number)`, `readonly fetch?: Bytes`.
 * Not the middle of `condition ? Date : other`, whose colon has no such place before it.
 * @param {readonly Token[]} tokens
 * @param {number} index
 */
function isLabel(tokens, index) {
  const [before, token, next, after] = [
    tokens[index - 1],
    tokens[index],
    tokens[index + 1],
    tokens[index + 2],
  ]
  const hasColon = next?.text === ':' || (next?.text === '?' && after?.text === ':')
  if (!hasColon || before === undefined || token === undefined) return false
  if (before.kind === 'mark' && ['{', ',', ';', '('].includes(before.text)) return true
  if (before.text === 'readonly') return true
  const endsStatement = before.kind !== 'mark' || ['}', ']', ')', '>'].includes(before.text)
  return before.line < token.line && endsStatement && before.text !== 'case'
}
