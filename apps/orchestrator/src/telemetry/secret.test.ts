import { expect, test } from 'bun:test'
import { inspect } from 'node:util'
import { Secret, withoutSecrets } from './secret.ts'

const value = `shardy_${'5a'.repeat(32)}`

test('a secret shows itself to nobody but who asks by name', () => {
  const secret = new Secret(value)
  const shown = [
    String(secret),
    `${secret}`,
    `${'key '}${secret}`,
    JSON.stringify({ secret, list: [secret] }),
    JSON.stringify({ ...secret }),
    inspect(secret),
    inspect({ deep: { secret } }, { showHidden: true, depth: 9 }),
    Bun.inspect({ secret }),
    Object.values(secret).join(),
    JSON.stringify(structuredClone({ ...secret })),
  ]
  for (const text of shown) expect(text).not.toContain('5a5a')
  expect(secret.reveal()).toBe(value)
})

test('keys and bearer tokens are cut out of text of any origin', () => {
  expect(withoutSecrets(`fetch failed for ${value}, try again`)).toBe('fetch failed for [secret], try again')
  expect(withoutSecrets('authorization: Bearer abc.def-ghi end')).toBe('authorization: Bearer [secret] end')
  expect(withoutSecrets('bearer  x')).toBe('bearer  [secret]')
  for (const plain of ['shardy_key', 'task 0a0a', 'the bearer']) expect(withoutSecrets(plain)).toBe(plain)
})
