// `npm run check`: format, lint, types, import directions and generated files, in seconds, all failures at once.
// `-- --write` mends what a program can mend: the format, safe lint fixes, and generated files.

import path from 'node:path'
import './nodeVersion.mjs'
import { bootstrap } from './bootstrap.mjs'
import { endChildrenOnSignal, start } from './child.mjs'
import { command, describe } from './failure.mjs'
import { compareGenerated, generated } from './generated.mjs'
import { checkImports } from './imports.mjs'
import { root } from './workspace.mjs'

/** @typedef {{ name: string, run: () => Promise<{ isGood: boolean, text: string }> }} Step */

const write = process.argv.includes('--write')

/** @type {readonly Step[]} */
const steps = [
  {
    name: 'format and lint',
    run: () =>
      tool('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', ...(write ? ['--write'] : []), '.']),
  },
  ...[
    'tsconfig.json',
    'tsconfig.pure.json',
    'tsconfig.web.json',
    'apps/worker/tsconfig.test.json',
    'tsconfig.tools.json',
  ].map((project) => ({
    name: `types (${project})`,
    run: () => tool('typescript/bin/tsc', ['--pretty', String(process.stdout.isTTY === true), '-p', project]),
  })),
  { name: 'import directions', run: imports },
  { name: 'generated files', run: generatedFiles },
]

async function main() {
  await bootstrap({})
  endChildrenOnSignal()
  const startMs = Date.now()
  const results = await Promise.all(steps.map(runStep))
  const failed = results.filter((result) => !result.isGood)
  for (const { name, text } of failed) console.log(`\n── ${name}\n${text.trimEnd()}`)
  const took = `${((Date.now() - startMs) / 1_000).toFixed(1)} s`
  if (failed.length === 0) console.log(`\nEverything is in order (${took})`)
  else {
    console.log(`\nNot in order: ${failed.map((step) => step.name).join(', ')} (${took})`)
    if (!write)
      console.log('→ npm run check -- --write  mends the format, safe lint fixes and generated files')
  }
  return failed.length === 0 ? 0 : 1
}

/** @param {Step} step */
async function runStep(step) {
  const startMs = Date.now()
  const { isGood, text } = await step.run().catch((error) => ({ isGood: false, text: describe(error) }))
  const took = ((Date.now() - startMs) / 1_000).toFixed(2).padStart(6)
  console.log(`${isGood ? '✓' : '✗'} ${took} s  ${step.name}`)
  return { name: step.name, isGood, text }
}

async function imports() {
  const { findings } = checkImports(root)
  return {
    isGood: findings.length === 0,
    text: findings.map((one) => `${one.file}:${one.line} ${one.message}`).join('\n'),
  }
}

async function generatedFiles() {
  const { findings } = await compareGenerated(generated, { write })
  return { isGood: findings.length === 0, text: findings.join('\n') }
}

/**
 * @param {string} script below node_modules
 * @param {readonly string[]} args
 * @returns {Promise<{ isGood: boolean, text: string }>}
 */
function tool(script, args) {
  return new Promise((resolve) => {
    const child = start(process.execPath, [path.join(root, 'node_modules', script), ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (more) => {
      text += more
    })
    child.stderr?.setEncoding('utf8').on('data', (more) => {
      text += more
    })
    child.once('error', (error) => resolve({ isGood: false, text: `could not be started: ${error.message}` }))
    child.once('close', (code, signal) =>
      resolve({
        isGood: code === 0,
        text: text.trim() === '' ? `ended with ${signal ?? `exit code ${code}`}` : text,
      }),
    )
  })
}

await command(main)
