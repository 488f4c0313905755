// `npm run artifacts`: files that are made by a program and too slow for `npm run check`. Each is verified against what
// makes it; `-- --write` makes it again.

import './nodeVersion.mjs'
import path from 'node:path'
import { bootstrap } from './bootstrap.mjs'
import { endChildrenOnSignal, runQuietly } from './child.mjs'
import { command } from './failure.mjs'
import { kernels, verifyKernels, writeKernels } from './kernels.mjs'
import { buildPage } from './page.mjs'
import { bun, root } from './workspace.mjs'

const usage = 2

/** @type {readonly { name: string, verify: () => Promise<unknown>, write: () => Promise<unknown> }[]} */
const artifacts = [
  vectors('vectors/wire', 'packages/protocol'),
  vectors('vectors/digest', 'packages/protocol', 'proof'),
  vectors('vectors/proof', 'packages/adapters/proofs', 'commitment'),
  vectors('vectors/tensor', 'packages/tensor'),
  vectors('vectors/ledger', 'packages/rules/ledger'),
  ...kernels.map((each) => ({
    name: each.artifact,
    verify: () => verifyKernels(each),
    write: () => writeKernels(each),
  })),
  {
    name: 'circuits/artifacts',
    // A key is never the same twice: it is checked against its circuit, and made anew only when that changed.
    verify: () => runBun('verifying keys against their circuits', 'circuits/src/verify.ts'),
    write: () => runBun('building circuits', 'circuits/src/build.ts'),
  },
  {
    name: 'apps/worker/dist',
    verify: () => buildPage(root, () => {}),
    write: () => buildPage(root, () => {}),
  },
]

/**
 * Golden files, which the package that defines them writes and tests.
 * @param {string} folder
 * @param {string} owner
 * @param {string} part the folder within `src` and `test`, where the package has vectors of several things
 */
function vectors(folder, owner, part = '.') {
  return {
    name: folder,
    verify: () =>
      runBun(`verifying ${folder}`, 'test', `./${path.posix.join(owner, 'src', part, 'vectors.test.ts')}`),
    async write() {
      await runBun(`writing ${folder}`, path.posix.join(owner, 'test', part, 'writeVectors.ts'))
      await runBun(
        `laying out ${folder}`,
        'node_modules/@biomejs/biome/bin/biome',
        'format',
        '--write',
        folder,
      )
    },
  }
}

/**
 * @param {string} label
 * @param {readonly string[]} args
 */
function runBun(label, ...args) {
  return runQuietly({ label, program: bun, args, cwd: root })
}

async function main() {
  const [word, ...more] = process.argv.slice(2)
  if (more.length > 0 || (word !== undefined && word !== '--write')) {
    console.error('npm run artifacts               verify what is made by a program and slow to make')
    console.error('npm run artifacts -- --write    make it again; then read the difference')
    return usage
  }
  await bootstrap({})
  endChildrenOnSignal()
  for (const artifact of artifacts) {
    await (word === '--write' ? artifact.write() : artifact.verify())
    console.log(`✓ ${artifact.name}`)
  }
  return 0
}

await command(main)
