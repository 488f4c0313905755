// `npm test [-- filter…]`: every *.test.ts of the packages, two at a time, then the end-to-end files one by one.
// Each file has its own bun process, so that a crash, a hang or a leak is that file's failure and nobody else's.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import './nodeVersion.mjs'
import { bootstrap } from './bootstrap.mjs'
import { endChildrenOnSignal, signalGroup, start } from './child.mjs'
import { command } from './failure.mjs'
import { filesBelow } from './files.mjs'
import { judge, summary } from './junit.mjs'
import { bun, root } from './workspace.mjs'

/**
 * @typedef {import('./junit.mjs').Case} Case
 * @typedef {{ files: readonly string[], concurrency: number, testMs: number, fileMs: number, isLive: boolean }} Suite
 * @typedef {{ file: string, cases: readonly Case[], problem: string }} Outcome
 */

const help = `npm test                      every test
npm test -- wire dispatch     the test files whose path contains one of these words
npm test -- --verbose         with the output of files that pass, too`

const slowestCount = 10
const stillRunningMs = 10_000

const words = process.argv.slice(2).filter((word) => !word.startsWith('-'))
const isVerbose = process.argv.includes('--verbose')

async function main() {
  if (process.argv.includes('--help')) {
    console.log(help)
    return 0
  }
  const { chromium } = await bootstrap({ browser: true })
  endChildrenOnSignal()
  const chosen = filesBelow(root, [
    'packages',
    'apps',
    'bench',
    'models',
    'circuits',
    'contracts',
    'simulation',
    'tools',
    'e2e',
  ]).filter(
    (file) => /\.test\.tsx?$/.test(file) && (words.length === 0 || words.some((word) => file.includes(word))),
  )
  const isEndToEnd = (/** @type {string} */ file) => file.startsWith('e2e/')
  /** @type {Suite[]} */
  const suites = [
    {
      files: chosen.filter((file) => !isEndToEnd(file)),
      concurrency: Math.max(1, Math.min(availableParallelism(), 4)),
      testMs: 60_000,
      fileMs: 300_000,
      isLive: false,
    },
    { files: chosen.filter(isEndToEnd), concurrency: 1, testMs: 180_000, fileMs: 360_000, isLive: true },
  ]
  const reports = mkdtempSync(path.join(tmpdir(), 'shardy-test-'))
  // Also when a signal ends the run.
  process.once('exit', () => rmSync(reports, { recursive: true, force: true }))
  /** @type {Outcome[]} */
  const outcomes = []
  for (const suite of suites) outcomes.push(...(await runSuite(suite, reports, chromium)))
  return conclude(outcomes)
}

/**
 * @param {Suite} suite
 * @param {string} reports a folder for the reports
 * @param {string | undefined} chromium
 * @returns {Promise<Outcome[]>}
 */
async function runSuite(suite, reports, chromium) {
  const waiting = [...suite.files]
  /** @type {Outcome[]} */
  const outcomes = []
  /** @type {Map<string, number>} */
  const running = new Map()
  const timer = setInterval(() => {
    const slow = [...running].filter(([, startMs]) => Date.now() - startMs >= stillRunningMs)
    if (slow.length > 0)
      console.log(
        `… still running: ${slow.map(([file, startMs]) => `${file} (${seconds(startMs)})`).join(', ')}`,
      )
  }, stillRunningMs)
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      running.set(file, Date.now())
      outcomes.push(await runFile(file, suite, reports, chromium))
      running.delete(file)
    }
  }
  try {
    await Promise.all(Array.from({ length: suite.concurrency }, work))
  } finally {
    clearInterval(timer)
  }
  return outcomes
}

/**
 * @param {string} file
 * @param {Suite} suite
 * @param {string} reports
 * @param {string | undefined} chromium
 * @returns {Promise<Outcome>}
 */
function runFile(file, suite, reports, chromium) {
  const startMs = Date.now()
  const report = path.join(reports, `${file.replaceAll('/', '_')}.xml`)
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }) }
  // In CI bun refuses `test.only` and writes no snapshots: what passes here passes there.
  env.CI = 'true'
  if (chromium !== undefined) env.SHARDY_CHROMIUM = chromium
  delete env.SHARDY_SUMMARY_FILE
  const options = [`--timeout=${suite.testMs}`, '--reporter=junit', `--reporter-outfile=${report}`]
  if (suite.isLive) console.log(`▸ ${file}`)
  return new Promise((resolve) => {
    const child = start(bun, ['test', ...options, `./${file}`], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let isLate = false
    const hear = (/** @type {string} */ text) => {
      if (suite.isLive) process.stdout.write(text)
      else output += text
    }
    child.stdout?.setEncoding('utf8').on('data', hear)
    child.stderr?.setEncoding('utf8').on('data', hear)
    const timer = setTimeout(() => {
      isLate = true
      signalGroup(child, 'SIGKILL')
    }, suite.fileMs)
    const finish = (/** @type {string} */ ending) => {
      clearTimeout(timer)
      // A test that forgot a process must not slow down or disturb the next file.
      signalGroup(child, 'SIGKILL')
      const text = existsSync(report) ? readFileSync(report, 'utf8') : undefined
      const outcome = { file, ...judge({ report: text, ending }) }
      tell(outcome, output, startMs)
      resolve(outcome)
    }
    child.once('error', (error) => finish(`could not be started (${error.message})`))
    child.once('close', (code, signal) => {
      if (isLate) finish(`was ended after ${suite.fileMs / 1_000} s`)
      else if (signal !== null) finish(`was ended by ${signal}`)
      else finish(code === 0 ? '' : `ended with exit code ${code}`)
    })
  })
}

/**
 * @param {Outcome} outcome
 * @param {string} output what the file printed, unless that was shown already
 * @param {number} startMs
 */
function tell(outcome, output, startMs) {
  const { passed, failed, skipped } = count([outcome])
  const parts = [
    failed > 0 ? `${failed} failed` : '',
    `${passed} passed`,
    skipped > 0 ? `${skipped} skipped` : '',
  ]
  const text = parts.filter((part) => part !== '').join(', ')
  console.log(`${failed > 0 ? '✗' : '✓'} ${outcome.file}  ${text} (${seconds(startMs)})`)
  if (outcome.problem !== '') console.log(`  ${outcome.problem}`)
  if (failed > 0 || isVerbose) process.stdout.write(output === '' ? '' : `${output.trimEnd()}\n\n`)
}

/**
 * @param {readonly Outcome[]} outcomes
 * @returns {number} the exit code
 */
function conclude(outcomes) {
  const cases = outcomes.flatMap(({ file, cases: found }) => found.map((one) => ({ ...one, file })))
  const failures = [
    ...cases
      .filter((one) => one.outcome === 'failed')
      .map((one) => `${one.file} › ${one.name}: ${firstLine(one.note)}`),
    ...outcomes.filter((one) => one.problem !== '').map((one) => `${one.file}: ${one.problem}`),
  ]
  const total = count(outcomes)
  if (total.passed + total.failed === 0) {
    failures.push(
      words.length === 0 ? 'no test was run' : `no test was run: no file matches ${words.join(', ')}`,
    )
    total.failed += 1
  }
  const skips = cases.filter((one) => one.outcome === 'skipped')
  const slowest = cases
    .filter((one) => one.outcome !== 'skipped')
    .sort((left, right) => right.seconds - left.seconds)
    .slice(0, slowestCount)
  list(
    'Skipped',
    skips.map((one) => `${one.file} › ${one.name}: ${skipReason(one)}`),
  )
  list(
    'Slowest tests',
    slowest.map((one) => `${one.seconds.toFixed(2).padStart(7)} s  ${one.file} › ${one.name}`),
  )
  list('Failed', failures)
  const line = summary(total)
  const summaryFile = process.env.SHARDY_SUMMARY_FILE ?? ''
  if (summaryFile === '') console.log(`\n${line}`)
  else writeFileSync(summaryFile, `${line}\n`)
  return total.failed === 0 ? 0 : 1
}

/** @param {readonly Outcome[]} outcomes */
function count(outcomes) {
  const cases = outcomes.flatMap((one) => one.cases)
  const of = (/** @type {Case['outcome']} */ wanted) => cases.filter((one) => one.outcome === wanted).length
  const problems = outcomes.filter((one) => one.problem !== '').length
  return { passed: of('passed'), failed: of('failed') + problems, skipped: of('skipped') }
}

/**
 * @param {string} title
 * @param {readonly string[]} lines
 */
function list(title, lines) {
  if (lines.length > 0) console.log(`\n${title}:\n${lines.map((line) => `  ${line}`).join('\n')}`)
}

/**
 * bun's report gives no reason: by our habit it is the comment on the test's line or just above it.
 * @param {{ file: string, line: number, note: string }} one
 */
function skipReason({ file, line, note }) {
  if (note === 'TODO') return 'still to be written'
  const lines = readFileSync(path.join(root, file), 'utf8').split('\n')
  const comment = [lines[line - 1], lines[line - 2]].map(
    (text) => /(?:^|\s)\/\/\s*(.+)$/.exec(text ?? '')?.[1],
  )
  return comment.find((text) => text !== undefined) ?? 'no reason given'
}

/** @param {string} text */
const firstLine = (text) => text.trim().split('\n', 1)[0] ?? ''

/** @param {number} startMs */
const seconds = (startMs) => `${((Date.now() - startMs) / 1_000).toFixed(1)} s`

await command(main)
