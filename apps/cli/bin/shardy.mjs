#!/usr/bin/env node
// Runs the command line with the Bun that npm installed here, and ends as it ends: same streams, signals, exit code.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = path.dirname(fileURLToPath(import.meta.url))
const bun = path.resolve(folder, '../../../node_modules/bun/bin/bun.exe')
const main = path.resolve(folder, '../src/main.ts')

if (existsSync(bun)) {
  const child = spawn(bun, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  /** @type {readonly NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  // A terminal tells the child itself as well; being told twice changes nothing there.
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  child.once('error', (error) => {
    process.stderr.write(`shardy: ${bun} cannot be started: ${error.message}\n`)
    process.exitCode = 1
  })
  child.once('close', (code, signal) => {
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
  })
} else {
  process.stderr.write(`shardy: Bun is not in place (${bun}).\nNext: npm start, which installs everything.\n`)
  process.exitCode = 1
}
