// `npm run bench -- NAME [--json]`: sets up, then hands over to bench/src/run.ts under bun.
// Everything here speaks on stderr, since the last line of stdout may be a program's to read.

import './nodeVersion.mjs'
import { bootstrap } from './bootstrap.mjs'
import { endChildrenOnSignal, start } from './child.mjs'
import { command, Failure } from './failure.mjs'
import { bun, root } from './workspace.mjs'

async function main() {
  await bootstrap({})
  endChildrenOnSignal()
  const env = { ...process.env, SHARDY_NODE_VERSION: process.versions.node }
  const child = start(bun, ['bench/src/run.ts', ...process.argv.slice(2)], {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new Failure(`bun could not be started: ${cause.message}`, { cause })),
    )
    child.once('close', (code, signal) => {
      if (signal !== null) reject(new Failure(`the benchmark was ended by ${signal}`))
      else resolve(code ?? 1)
    })
  })
}

await command(/** @type {() => Promise<number>} */ (main))
