import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { programIdOf } from './programId.ts'
import { taskKinds } from './values.ts'

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())

test('the same bytes are another thing under another kind', () => {
  const bytes = Uint8Array.of(1, 2, 3)
  for (const kind of taskKinds) {
    const expected = createHash('sha256').update(`shardy/${kind}/v1\0`, 'latin1').update(bytes).digest('hex')
    expect<string>(programIdOf(kind, bytes, sha256)).toBe(expected)
  }
})
