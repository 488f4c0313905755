/** What the keys of a line that is not shown come to. */
import { expect, test } from 'bun:test'
import { TypedBytes } from './secret.ts'

const lines: readonly (readonly [string, string, 'done' | 'stopped' | undefined, string])[] = [
  ['a line', 'abc\r', 'done', 'abc'],
  ['a line of another terminal', 'abc\n', 'done', 'abc'],
  ['nothing', '\r', 'done', ''],
  ['a correction', 'abx\u007fc\r', 'done', 'abc'],
  ['more corrections than letters', '\b\b\ba\r', 'done', 'a'],
  ['Ctrl-C', 'abc\u0003', 'stopped', 'abc'],
  ['Ctrl-D', '\u0004', 'stopped', ''],
  ['no end yet', 'ab', undefined, 'ab'],
  ['more than there is room for', '123456789\r', 'done', '12345678'],
]
for (const [story, keys, end, kept] of lines) {
  test(story, () => {
    const typed = new TypedBytes(8)
    expect(typed.take(Buffer.from(keys))).toBe(end)
    expect(Buffer.from(typed.bytes()).toString()).toBe(kept)
  })
}
