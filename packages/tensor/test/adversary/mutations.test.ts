// Weakens the check in its source, one edit at a time, and shows which cheats then get through. A check that nothing here
// can weaken without a named cheat passing is one whose every part is needed.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type * as Checks from '../../src/check/index.ts'
import { sha256 } from '../sha256.ts'
import { cheats } from './cheats.ts'
import { attempt, honestClaim } from './claims.ts'
import { mutations } from './mutations.ts'
import { requestOf } from './requests.ts'

const source = path.join(import.meta.dir, '../../src')
const modules = path.join(import.meta.dir, '../../../../node_modules')
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-mutants-'))
  await symlink(modules, path.join(folder, 'node_modules'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function load(
  name: string,
  edit?: { readonly file: string; readonly find: string; readonly replace: string },
) {
  const copy = path.join(folder, name)
  await cp(source, copy, { recursive: true, filter: (file) => !file.endsWith('.test.ts') })
  if (edit !== undefined) {
    const file = path.join(copy, 'check', edit.file)
    const text = await readFile(file, 'utf8')
    expect(text.split(edit.find)).toHaveLength(2)
    await writeFile(file, text.replace(edit.find, edit.replace))
  }
  return (await import(path.join(copy, 'check/index.ts'))) as typeof Checks
}

function passing({ check, pureTools }: typeof Checks): readonly string[] {
  const tools = pureTools(sha256)
  expect(check(requestOf('interactive', attempt(honestClaim)), tools).ok).toBe(true)
  return cheats
    .filter(({ attempt: make }) => check(requestOf('interactive', make()), tools).ok)
    .map(({ name }) => name)
}

test('the check as it is lets nothing through', async () => {
  expect(passing(await load('whole'))).toEqual([])
})

describe.each([...mutations])('when $name', ({ letsThrough, ...edit }) => {
  test(`${letsThrough.length} named cheats get through`, async () => {
    const through = passing(await load(String(mutations.findIndex(({ name }) => name === edit.name)), edit))
    for (const name of letsThrough) expect(through).toContain(name)
  })
})
