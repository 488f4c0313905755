import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { programIdOf } from './programId.ts'

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())

test('the same bytes as a program and as a shader are two things', () => {
  const bytes = Uint8Array.of(1, 2, 3)
  for (const kind of ['program', 'shader'] as const) {
    const expected = createHash('sha256').update(`shardy/${kind}/v1\0`, 'latin1').update(bytes).digest('hex')
    expect<string>(programIdOf(kind, bytes, sha256)).toBe(expected)
  }
})
