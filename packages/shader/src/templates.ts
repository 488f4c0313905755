/**
 * Which `<` and `>` of a source are the brackets of a template list and which compare or shift. This is the discovery
 * that WGSL itself prescribes, over characters and before any grammar, so that `a < b > (c)` cannot be read two ways.
 */

const nameAt = /[A-Za-z_][A-Za-z0-9_]*/y
const numberAt = /[0-9][A-Za-z0-9_.]*/y

/** Past blanks and comments; stops before a comment that is never closed, which the lexer refuses. */
export function skipBlanks(source: string, start: number): number {
  let index = start
  while (index < source.length) {
    const letter = source[index]
    if (letter === ' ' || letter === '\t' || letter === '\n') index++
    else if (source.startsWith('//', index)) {
      while (index < source.length && source[index] !== '\n') index++
    } else if (source.startsWith('/*', index)) {
      const end = endOfComment(source, index)
      if (end === undefined) break
      index = end
    } else break
  }
  return index
}

/** Comments nest in WGSL. */
function endOfComment(source: string, start: number): number | undefined {
  let depth = 0
  let index = start
  while (index < source.length) {
    if (source.startsWith('/*', index)) {
      depth++
      index += 2
    } else if (source.startsWith('*/', index)) {
      depth--
      index += 2
      if (depth === 0) return index
    } else index++
  }
  return undefined
}

/** The indices of the characters that open and close template lists. */
export function discoverTemplates(source: string): {
  readonly starts: Set<number>
  readonly ends: Set<number>
} {
  const starts = new Set<number>()
  const ends = new Set<number>()
  let pending: { readonly index: number; readonly depth: number }[] = []
  let depth = 0
  let index = 0
  const endOf = (pattern: RegExp): number | undefined => {
    pattern.lastIndex = index
    return pattern.test(source) ? pattern.lastIndex : undefined
  }
  /** Candidates at this depth or deeper turned out to be comparisons. */
  const forget = (): void => {
    while ((pending.at(-1)?.depth ?? -1) >= depth) pending.pop()
  }
  while (true) {
    index = skipBlanks(source, index)
    const letter = source[index]
    // Behind an open comment there is nothing, and looking for its end once more at every letter would take long.
    if (letter === undefined || source.startsWith('/*', index)) return { starts, ends }
    const nameEnd = endOf(nameAt)
    if (nameEnd !== undefined) {
      index = skipBlanks(source, nameEnd)
      if (source[index] !== '<') continue
      const next = source[index + 1]
      if (next !== '<' && next !== '=') pending.push({ index, depth })
      index += next === '<' || next === '=' ? 2 : 1
      continue
    }
    const numberEnd = endOf(numberAt)
    if (numberEnd !== undefined) {
      index = numberEnd
      continue
    }
    index++
    switch (letter) {
      case '>': {
        const top = pending.at(-1)
        if (top !== undefined && top.depth === depth) {
          pending.pop()
          starts.add(top.index)
          ends.add(index - 1)
        } else if (source[index] === '=') index++
        break
      }
      case '(':
      case '[':
        depth++
        break
      case ')':
      case ']':
        forget()
        depth = Math.max(0, depth - 1)
        break
      case '!':
        if (source[index] === '=') index++
        break
      case '=':
        if (source[index] === '=') {
          index++
          break
        }
        pending = []
        depth = 0
        break
      case ';':
      case '{':
      case ':':
        pending = []
        depth = 0
        break
      case '&':
      case '|':
        if (source[index] !== letter) break
        index++
        forget()
        break
    }
  }
}
