// Weakens the check in its source, one edit at a time, and shows which cheats then get through: the copies are made in a
// folder of their own and asked by one process, which begins with the check as it is.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Mutation, mutations } from './mutations.ts'

const source = path.join(import.meta.dir, '../../src')
const modules = path.join(import.meta.dir, '../../../../node_modules')
let folder = ''
let through: Readonly<Record<string, readonly string[]>> = {}

async function copy(name: string, edit?: Mutation): Promise<void> {
  const target = path.join(folder, name)
  await mkdir(target)
  await cp(source, target, { recursive: true, filter: (file) => !file.endsWith('.test.ts') })
  if (edit === undefined) return
  const file = path.join(target, 'check', edit.file)
  const text = await readFile(file, 'utf8')
  if (text.split(edit.find).length !== 2) throw new Error(`${edit.file} does not have '${edit.find}' once`)
  await writeFile(file, text.replace(edit.find, edit.replace))
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-mutants-'))
  await symlink(modules, path.join(folder, 'node_modules'))
  const names = ['whole', ...mutations.map((_, index) => `mutant${index}`)]
  await copy('whole')
  for (const [index, mutation] of mutations.entries()) await copy(`mutant${index}`, mutation)
  const lines = [
    `import { namesThrough } from ${JSON.stringify(path.join(import.meta.dir, 'settle.ts'))}`,
    ...names.map((name) => `import * as ${name} from './${name}/check/index.ts'`),
    `const all = { ${names.join(', ')} }`,
    'const through = Object.entries(all).map(([name, checks]) => [name, namesThrough(checks)])',
    'console.log(JSON.stringify(Object.fromEntries(through)))',
  ]
  const script = path.join(folder, 'run.ts')
  await writeFile(script, lines.join('\n'))
  const child = Bun.spawn([process.execPath, script], { stdout: 'pipe', stderr: 'inherit' })
  through = JSON.parse(await new Response(child.stdout).text()) as typeof through
  expect(await child.exited).toBe(0)
}, 60_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

test('the check as it is lets nothing through', () => {
  expect(through.whole).toEqual([])
})

describe.each(mutations.map((mutation, index) => ({ ...mutation, index })))(
  'when $name',
  ({ letsThrough, index }) => {
    test(`${letsThrough.length} named cheats get through`, () => {
      expect(through[`mutant${index}`]).toEqual(expect.arrayContaining([...letsThrough]))
    })
  },
)
