import { expect, test } from 'bun:test'
import path from 'node:path'
import { errors } from '@shardy/api'
import { closeCodes } from './gateway/closeCode.ts'

test('the README names every error and close code, with its number', async () => {
  const readme = await Bun.file(path.join(import.meta.dir, '../README.md')).text()
  for (const [code, { status }] of Object.entries(errors)) {
    expect(readme).toMatch(new RegExp(`\\| ${status} \\|.*\`${code}\``))
  }
  for (const [code, number] of Object.entries(closeCodes))
    expect(readme).toContain(`| ${number} | \`${code}\` |`)
})
