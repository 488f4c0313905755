import { describe, test } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expectKind, openings, put } from './conformance.ts'

describe('damage on disk', () => {
  const { open, freshPath } = openings('sqlite')

  test('is named when the store opens', async () => {
    const path = await freshPath()
    const store = await open(path)
    await store.write([put('left', 'a', '1')], { sync: true })
    await store.close()
    await writeFile(join(path, 'rows.sqlite'), 'not a database'.repeat(500))
    await expectKind(open(path), 'corrupt')
  })
})
