// A generated file that is missing or differs is named with its first differing line; `write` brings it up to date.

import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { compareGenerated } from './generated.mjs'

let base = ''
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'shardy-generated-'))
  writeFileSync(path.join(base, 'source.ts'), '')
})
afterEach(() => rmSync(base, { recursive: true }))

const entry = { path: 'made/a.txt', source: 'source.ts', make: async () => 'one\ntwo\n' }

test('a missing file is named', async () => {
  expect(await compareGenerated([entry], { write: false, base })).toEqual({
    compared: 1,
    findings: ['made/a.txt is missing'],
  })
})

test('writing makes the next comparison pass', async () => {
  expect(await compareGenerated([entry], { write: true, base })).toEqual({ compared: 1, findings: [] })
  expect(readFileSync(path.join(base, 'made/a.txt'), 'utf8')).toBe('one\ntwo\n')
  expect(await compareGenerated([entry], { write: false, base })).toEqual({ compared: 1, findings: [] })
})

test.each([
  ['one\nTWO\n', 'at line 2: has "TWO", wants "two"'],
  ['one\ntwo\nthree\n', 'at line 3: has "three", wants ""'],
  ['one\ntwo\n\n', 'at line 4: has "", wants ""'],
])('a difference is shown: %j', async (present, message) => {
  await compareGenerated([entry], { write: true, base })
  writeFileSync(path.join(base, 'made/a.txt'), present)
  const { findings } = await compareGenerated([entry], { write: false, base })
  expect(findings).toHaveLength(1)
  expect(findings[0]).toContain(message)
})

test('an entry whose source does not exist yet is passed over', async () => {
  const later = { ...entry, source: 'later.ts' }
  expect(await compareGenerated([later], { write: false, base })).toEqual({ compared: 0, findings: [] })
})
