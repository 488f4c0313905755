// Child processes that never outlive us: each leads its own process group, so that a signal reaches all it started
// and a Ctrl-C in the terminal reaches it once, from us. `runQuietly` runs one to its end and keeps its last lines.

import { spawn } from 'node:child_process'
import { Failure } from './failure.mjs'
import { withProgress } from './progress.mjs'

const headLines = 12
const tailLines = 48
const graceMs = 2_000
const sameSignalMs = 300
const parentPollMs = 500

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
export function start(program, args, options) {
  const child = spawn(program, [...args], { ...options, detached: process.platform !== 'win32' })
  running.add(child)
  const forget = () => running.delete(child)
  child.once('close', forget)
  child.once('error', forget)
  return child
}

/**
 * Signals the child and everything in its group; one that is already gone is fine.
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
export function signalGroup(child, signal) {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill(signal)
    else process.kill(-child.pid, signal)
  } catch (error) {
    // macOS answers EPERM for a group of which only zombies are left.
    const { code } = /** @type {NodeJS.ErrnoException} */ (error)
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}

/**
 * Ends every child and what it started: politely, and after `graceMs` without a choice.
 * @param {number} graceMs
 */
export async function endAll(graceMs) {
  const ending = [...running]
  const ended = Promise.all(ending.map((child) => new Promise((resolve) => child.once('close', resolve))))
  for (const child of ending) signalGroup(child, 'SIGTERM')
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, graceMs))])
  // Also where the child itself has ended: what it started may still be there. And what began meanwhile.
  for (const child of new Set([...ending, ...running])) signalGroup(child, 'SIGKILL')
}

/**
 * Calls `end` at the first signal to stop, and kills everything at the second. npm passes a signal on that the terminal
 * has already sent, so that one Ctrl-C may arrive twice: a second one that comes at once is the same one.
 * @param {(signal: NodeJS.Signals) => void} end
 * @returns {() => void} stops listening
 */
export function onStopSignal(end) {
  /** @type {readonly NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  let firstMs = 0
  const handle = (/** @type {NodeJS.Signals} */ signal) => {
    if (firstMs === 0) {
      firstMs = Date.now()
      end(signal)
    } else if (Date.now() - firstMs > sameSignalMs) {
      for (const child of running) signalGroup(child, 'SIGKILL')
      process.exit(exitCodeFor(signal))
    }
  }
  for (const signal of signals) process.on(signal, handle)
  // Told to end, npm ends the shell between us and it, and that shell tells us nothing: we only lose our parent.
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid !== parent && firstMs === 0) handle('SIGTERM')
  }, parentPollMs).unref()
  if (process.env.npm_lifecycle_event === undefined) clearInterval(timer)
  return () => {
    clearInterval(timer)
    for (const signal of signals) process.removeListener(signal, handle)
  }
}

/** For commands that have nothing to tidy up but their children. */
export function endChildrenOnSignal() {
  return onStopSignal((signal) => {
    endAll(graceMs).finally(() => process.exit(exitCodeFor(signal)))
  })
}

/** @param {NodeJS.Signals} signal */
function exitCodeFor(signal) {
  return signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 129
}

/**
 * @param {{ label: string, program: string, args: readonly string[], cwd: string, env?: NodeJS.ProcessEnv, next?: string, onStart?: (pid: number) => void }} step
 * @returns {Promise<string>} everything it printed on stdout
 */
export function runQuietly(step) {
  return withProgress(step.label, () => {
    return new Promise((resolve, reject) => {
      const child = start(step.program, step.args, {
        cwd: step.cwd,
        env: {
          ...(step.env ?? process.env),
          ...(process.stderr.isTTY ? {} : { NO_COLOR: '1', FORCE_COLOR: '0' }),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      if (child.pid !== undefined) step.onStart?.(child.pid)
      let stdout = ''
      let all = ''
      child.stdout?.setEncoding('utf8').on('data', (text) => {
        stdout += text
        all += text
      })
      child.stderr?.setEncoding('utf8').on('data', (text) => {
        all += text
      })
      const fail = (/** @type {string} */ how, /** @type {unknown} */ cause) =>
        reject(
          new Failure(`${step.label} failed: ${[step.program, ...step.args].join(' ')} ${how}`, {
            output: headAndTail(all),
            next: step.next ?? 'Mend what the lines above name, then run the command again.',
            cause,
          }),
        )
      child.once('error', (error) => fail(`could not be started (${error.message})`, error))
      child.once('close', (code, signal) => {
        if (code === 0) resolve(stdout)
        else fail(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`, undefined)
      })
    })
  })
}

/**
 * npm says what is wrong first and explains itself afterwards; compilers do it the other way round.
 * @param {string} text
 */
function headAndTail(text) {
  const lines = text.trimEnd().split('\n')
  if (lines.length <= headLines + tailLines) return lines.join('\n')
  const left = lines.length - headLines - tailLines
  return [...lines.slice(0, headLines), `[… ${left} lines left out …]`, ...lines.slice(-tailLines)].join('\n')
}
