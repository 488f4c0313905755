/** A watched line is rewritten and wiped; in a log every change is a line. */
import { expect, test } from 'bun:test'
import { openProgress } from './progress.ts'

function shown(columns: number | undefined, ...texts: string[]): string {
  let told = ''
  const progress = openProgress({
    watchedColumns: () => columns,
    tell: (text) => {
      told += text
    },
  })
  for (const text of texts) progress.show(text)
  progress.clear()
  progress.clear()
  return told
}

test('in a log', () => expect(shown(undefined, 'a', 'a', 'b')).toBe('a\nb\n'))

test('in a terminal, cut so that it never wraps', () => {
  const wipe = '\r\u001b[2K'
  expect(shown(6, 'a', 'a', '123456789')).toBe(`${wipe}a${wipe}1234…${wipe}`)
})

test('whatever a server said', () => expect(shown(undefined, 'a\u001b[2J\nb')).toBe('a?[2J?b\n'))
