// Builds the worker page when something that it is made of changed since the last build.
// The new build replaces the old one in one step, so a running orchestrator never serves half of it.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { runQuietly } from './child.mjs'
import { filesBelow } from './files.mjs'

/** @param {string} base */
export function isPageBuilt(base) {
  const stamped = stampFile(base)
  return (
    existsSync(path.join(base, 'apps/worker/dist/index.html')) &&
    existsSync(stamped) &&
    readFileSync(stamped, 'utf8') === stamp(base)
  )
}

/**
 * @param {string} base
 * @param {(pid: number) => void} onStart told of the process that writes the build
 */
export async function buildPage(base, onStart) {
  const built = path.join(base, 'apps/worker/dist')
  const fresh = path.join(base, '.cache/page')
  const old = path.join(base, '.cache/page.old')
  // Taken before the build: a source that changes meanwhile is built again next time.
  const current = stamp(base)
  rmSync(stampFile(base), { force: true })
  await runQuietly({
    label: 'building the worker page',
    program: process.execPath,
    args: [path.join(base, 'node_modules/vite/bin/vite.js'), 'build', '--outDir', fresh, '--emptyOutDir'],
    cwd: path.join(base, 'apps/worker'),
    // Whoever starts us may be a test, which says otherwise; the page is served to people all the same.
    env: { ...process.env, NODE_ENV: 'production' },
    onStart,
    next: 'Mend the sources that Vite names above (apps/worker and the packages it imports).',
  })
  rmSync(old, { recursive: true, force: true })
  if (existsSync(built)) renameSync(built, old)
  renameSync(fresh, built)
  rmSync(old, { recursive: true, force: true })
  mkdirSync(path.dirname(stampFile(base)), { recursive: true })
  writeFileSync(stampFile(base), current)
}

/** @param {string} base */
const stampFile = (base) => path.join(base, '.cache/page.stamp')

/** @param {string} base */
function stamp(base) {
  const hash = createHash('sha256')
  const sources = filesBelow(base, ['apps/worker', 'packages']).filter(
    (file) => !/\.(test|fuzz)\.tsx?$/.test(file) && !file.endsWith('.md'),
  )
  for (const file of [...sources, 'package-lock.json', 'tsconfig.base.json', 'tsconfig.web.json'])
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(base, file)))
      .update('\0')
  return hash.digest('hex')
}
