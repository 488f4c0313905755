// Each import rule on a small repository of its own: a legal tree passes, and each breach of it is refused by name.

import { afterEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { checkImports } from './imports.mjs'

type Tree = Readonly<Record<string, string>>

const manifest = (name: string, dependencies: readonly string[] = [], more: object = {}) =>
  JSON.stringify({
    name,
    exports: { '.': './src/index.ts' },
    dependencies: Object.fromEntries(dependencies.map((dependency) => [dependency, '1.0.0'])),
    ...more,
  })

const legal: Tree = {
  'ARCHITECTURE.md': [
    '# Architecture',
    '```floors',
    '0 packages/protocol',
    '1 packages/tensor packages/rules/*',
    '2 packages/adapters/*',
    '4 apps/*',
    '5 bench e2e',
    'packages/rules/ledger -> packages/rules/*',
    '```',
  ].join('\n'),
  'package.json': JSON.stringify({
    workspaces: ['packages/protocol', 'packages/tensor', 'packages/rules/*', 'packages/adapters/*', 'apps/*'],
    devDependencies: { 'fast-check': '1.0.0' },
  }),
  'packages/protocol/package.json': manifest('@shardy/protocol', ['long'], {
    devDependencies: { pbjs: '1.0.0' },
  }),
  'packages/protocol/src/index.ts': "export * from './ids.ts'\nexport type { Hash } from './hash.ts'\n",
  'packages/protocol/src/ids.ts':
    "import { type Hash } from './hash.ts'\nimport 'long'\nexport const id: Hash = 1\n",
  'packages/protocol/src/hash.ts':
    "// It may mention Date and node:fs.\nexport type Hash = number\nconst text = 'Date'\n",
  'packages/protocol/src/ids.test.ts':
    "import { test } from 'bun:test'\nimport fc from 'fast-check'\nimport pb from 'pbjs'\nimport v from '../../../vectors/ids.json'\nawait test(Date.now())\n",
  'packages/tensor/package.json': manifest('@shardy/tensor', ['@shardy/protocol']),
  'packages/tensor/src/index.ts': "import { id } from '@shardy/protocol'\nexport const shape = id\n",
  'packages/rules/dispatch/package.json': manifest('@shardy/dispatch', ['@shardy/protocol']),
  'packages/rules/dispatch/src/index.ts': "export { id } from '@shardy/protocol'\n",
  'packages/rules/ledger/package.json': manifest('@shardy/ledger', ['@shardy/dispatch']),
  'packages/rules/ledger/src/index.ts': "export { id } from '@shardy/dispatch'\n",
  'packages/adapters/storage/package.json': manifest('@shardy/storage', ['@shardy/protocol']),
  'packages/adapters/storage/src/index.ts':
    "import { readFile } from 'node:fs/promises'\nexport const open = async () => await import('@shardy/protocol')\n",
  'packages/adapters/storage/src/conformance.ts': "import fc from 'fast-check'\nimport 'bun:test'\n",
  'apps/cli/package.json': manifest('@shardy/app-cli', ['@shardy/storage', '@shardy/protocol']),
  'apps/cli/src/index.ts':
    "import { open } from '@shardy/storage'\nexport const url = new URL('./task.ts', import.meta.url)\n",
  'apps/cli/src/task.ts': "import './index.ts'\n",
  'apps/buyer/package.json': manifest('@shardy/app-buyer'),
  'apps/buyer/src/index.ts': 'export const buyer = 1\n',
  'e2e/all.test.ts': "import cli from '@shardy/app-cli'\nimport fc from 'fast-check'\nawait import(cli)\n",
}

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function plant(changes: Tree): string {
  const base = mkdtempSync(path.join(tmpdir(), 'shardy-imports-'))
  folders.push(base)
  for (const [file, content] of Object.entries({ ...legal, ...changes })) {
    mkdirSync(path.dirname(path.join(base, file)), { recursive: true })
    writeFileSync(path.join(base, file), content)
  }
  return base
}

const check = (changes: Tree) =>
  checkImports(plant(changes)).findings.map(({ file, line, message }) => `${file}:${line} ${message}`)

test('a legal tree passes, and is read in full', () => {
  expect(checkImports(plant({}))).toEqual({ files: 13, imports: 21, findings: [] })
})

const file = 'packages/tensor/src/index.ts'

describe('refused', () => {
  const refused: ReadonlyArray<readonly [string, Tree, string]> = [
    ['an import that points up', { [file]: "import '@shardy/storage'" }, "imports '@shardy/storage' up"],
    [
      'a re-export that points up',
      { [file]: "export * from '@shardy/storage'" },
      "imports '@shardy/storage' up",
    ],
    [
      'a type import that points up',
      { [file]: "import type { A } from '@shardy/storage'" },
      "'@shardy/storage' up",
    ],
    [
      'a dynamic import that points up',
      { 'packages/adapters/storage/src/index.ts': "await import('@shardy/app-cli')" },
      "imports '@shardy/app-cli' up",
    ],
    [
      'a require that points up',
      { 'packages/adapters/storage/src/index.ts': "const a = require('@shardy/app-cli')" },
      "imports '@shardy/app-cli' up",
    ],
    ['a sibling', { [file]: "import '@shardy/dispatch'" }, "imports '@shardy/dispatch' sideways"],
    ['an app that imports an app', { 'apps/cli/src/task.ts': "import '@shardy/app-buyer'" }, 'sideways'],
    [
      'a sibling that imports the ledger',
      { [file]: "import '@shardy/ledger'" },
      "imports '@shardy/ledger' sideways",
    ],
    [
      'a test that points up',
      { 'packages/tensor/src/a.test.ts': "import '@shardy/storage'" },
      "'@shardy/storage' up",
    ],
    [
      'a path that leaves the package',
      { [file]: "import '../../protocol/src/ids.ts'" },
      'leaves packages/tensor',
    ],
    [
      'golden files outside a test',
      { [file]: "import v from '../../../vectors/ids.json'" },
      'leaves packages/tensor',
    ],
    [
      'a worker file that leaves the package',
      { 'apps/cli/src/index.ts': "new URL('../../buyer/src/index.ts', import.meta.url)" },
      'leaves apps/cli',
    ],
    ['an absolute path', { [file]: "import '/src/a.ts'" }, 'an absolute path'],
    ['an import over the network', { [file]: "import 'https://example.org/a.js'" }, 'an absolute path'],
    ['its own package by name', { [file]: "import '@shardy/tensor'" }, 'imports its own package by name'],
    ['a file inside another package', { [file]: "import '@shardy/protocol/src/ids.ts'" }, 'does not export'],
    [
      'a package of ours that does not exist',
      { [file]: "import '@shardy/utils'" },
      'no package of this repository',
    ],
    [
      'one of ours that is not declared',
      { 'packages/tensor/package.json': manifest('@shardy/tensor') },
      "imports '@shardy/protocol', which packages/tensor/package.json does not declare",
    ],
    [
      'an npm package that is not declared',
      { [file]: "import 'lodash/get'" },
      "imports 'lodash', which packages/tensor",
    ],
    [
      'a development dependency in a source',
      { 'packages/protocol/src/ids.ts': "import 'pbjs'" },
      "imports 'pbjs', which packages/protocol",
    ],
    [
      'a test in a source',
      { [file]: "import './a.test.ts'", 'packages/tensor/src/a.test.ts': '' },
      'imports the test',
    ],
    [
      'a path that is computed',
      { 'apps/cli/src/task.ts': "await import('./' + name)" },
      'a path that is computed',
    ],
    ['a node module on floor 1', { [file]: "import { readFileSync } from 'node:fs'" }, "imports 'node:fs'"],
    ['a node module without its prefix', { [file]: "import { readFileSync } from 'fs'" }, "imports 'fs'"],
    ['a bun module on floor 1', { [file]: "import 'bun:sqlite'" }, "imports 'bun:sqlite'"],
    ['a test framework in a pure source', { [file]: "import 'bun:test'" }, "imports 'bun:test'"],
    ['a dynamic import on floor 1', { [file]: "import('@shardy/protocol')" }, 'imports dynamically'],
    [
      'a clock on floor 0',
      { 'packages/protocol/src/ids.ts': 'export const now = Date.now()' },
      '`Date` is a clock',
    ],
    ['a file on no floor', { 'packages/other/src/a.ts': '' }, 'stands on no floor'],
    ['a file that cannot be read', { [file]: "const a = 'open\n" }, 'this string never ends'],
  ]
  for (const [name, changes, message] of refused) {
    test(name, () => {
      // An import that points up may close a circle as well, which has its own test.
      const findings = check(changes).filter((finding) => !finding.includes('in a circle'))
      expect(findings).toHaveLength(1)
      expect(findings[0]).toContain(message)
    })
  }

  test('a circle between files, which it shows', () => {
    const a = 'packages/tensor/src/a.ts'
    const changes = {
      [a]: "import './b.ts'",
      'packages/tensor/src/b.ts': "import type { C } from './c.ts'",
      'packages/tensor/src/c.ts': "export { a } from './a.ts'",
    }
    expect(check(changes)).toEqual([
      `${a}:1 imports itself in a circle: ${a} → packages/tensor/src/b.ts → packages/tensor/src/c.ts → ${a}`,
    ])
  })

  test('a page without its floors', () => {
    expect(() => check({ 'ARCHITECTURE.md': '# Architecture\n' })).toThrow('must hold one block')
  })

  test('a line of the floors that cannot be read', () => {
    expect(() => check({ 'ARCHITECTURE.md': '```floors\nfirst packages/protocol\n```' })).toThrow(
      'first packages/protocol',
    )
  })
})
