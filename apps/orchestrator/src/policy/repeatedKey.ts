/** A key that an object of a JSON text has twice: parsers take the last one in silence. The text has been parsed before. */
export function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = []
  const tokens = [...text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/gs)].map(([token]) => token)
  for (const [index, token] of tokens.entries()) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (token.startsWith('"') && tokens[index + 1] === ':') {
      const key = JSON.parse(token) as string
      const keys = open.at(-1)
      if (keys?.has(key)) return key
      keys?.add(key)
    }
  }
  return undefined
}
