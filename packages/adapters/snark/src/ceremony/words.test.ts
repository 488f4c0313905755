/** The words of the scheme's own examples. */
import { expect, test } from 'bun:test'
import { wordsOf } from './words.ts'

const examples: readonly (readonly [readonly number[], string])[] = [
  [[127, 0, 0, 1], 'lusab babad'],
  [[63, 84, 220, 193], 'gutih tugad'],
  [[63, 118, 7, 35], 'gutuk bisog'],
  [[140, 98, 193, 141], 'mudof sakat'],
  [[255, 255], 'zuzuz'],
  [[], ''],
]
for (const [bytes, words] of examples) {
  test(words, () => expect(wordsOf(Uint8Array.from(bytes))).toBe(words))
}
