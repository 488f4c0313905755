// One holder at a time across processes: a file that names its holder, created exclusively.
// A holder that died is replaced, once the child that it had at work has ended too: whoever first claims that one dead lock (by its nonce) may overwrite it, nobody else.

import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Failure } from './failure.mjs'
import { withProgress } from './progress.mjs'

const pollMs = 100
const waitMs = 20 * 60_000
const unreadableMs = 5_000

/**
 * @template T
 * @param {string} file
 * @param {string} label what the waiting is for
 * @param {(guard: (pid: number) => void) => Promise<T>} work names each child that must not be joined by another's
 * @returns {Promise<T>}
 */
export async function withLock(file, label, work) {
  const release = await acquire(file, label)
  const guard = (/** @type {number} */ pid) => writeFileSync(childFile(file), JSON.stringify(identify(pid)))
  try {
    return await work(guard)
  } finally {
    rmSync(childFile(file), { force: true })
    release()
  }
}

/** @param {string} file */
const childFile = (file) => `${file}.child`

/** @param {number} pid */
const identify = (pid) => ({ pid, started: startedAt(pid), nonce: randomUUID() })

/**
 * @param {string} file
 * @param {string} label
 */
async function acquire(file, label) {
  mkdirSync(path.dirname(file), { recursive: true })
  const own = JSON.stringify(identify(process.pid))
  const release = () => {
    if (read(file) === own) rmSync(file, { force: true })
  }
  if (tryAcquire(file, own)) return release
  return withProgress(label, async () => {
    for (const endMs = Date.now() + waitMs; Date.now() < endMs; ) {
      if (tryAcquire(file, own)) return release
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
    throw new Failure(`${file} has been held for ${waitMs / 60_000} minutes by ${read(file)}`, {
      next: `If nothing else is running in this folder, remove it: rm ${file}`,
    })
  })
}

/**
 * @param {string} file
 * @param {string} own
 */
function tryAcquire(file, own) {
  if (create(file, own)) return true
  const held = read(file)
  if (!isAbandoned(file, held)) return false
  // One process at a time can hold the claim on one dead lock. Having it, look again: the lock may have changed hands.
  const claim = `${file}.${parse(held)?.nonce ?? 'unreadable'}`
  if (!create(claim, own)) return false
  if (read(file) === held) {
    renameSync(claim, file)
    return true
  }
  rmSync(claim)
  return false
}

/**
 * @param {string} file
 * @param {string} held
 */
function isAbandoned(file, held) {
  const holder = parse(held)
  const child = parse(read(childFile(file)))
  if (child !== undefined && isAlive(child)) return false
  if (holder !== undefined) return !isAlive(holder)
  // Not yet written, already released, or its creator died in between: only the last of these gets old.
  const age = statSync(file, { throwIfNoEntry: false })
  return age !== undefined && Date.now() - age.mtimeMs > unreadableMs
}

/**
 * @param {string} file
 * @param {string} content
 */
function create(file, content) {
  try {
    writeFileSync(file, content, { flag: 'wx' })
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false
    throw error
  }
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/**
 * @param {string} content
 * @returns {{ pid: number, started: string, nonce: string } | undefined}
 */
function parse(content) {
  try {
    const { pid, started, nonce } = JSON.parse(content)
    return typeof pid === 'number' && typeof nonce === 'string'
      ? { pid, started: String(started), nonce }
      : undefined
  } catch {
    return undefined
  }
}

/** @param {{ pid: number, started: string }} holder */
function isAlive(holder) {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH') return false
  }
  // A container reuses small pids at once; the start time tells the holder from its namesake.
  return startedAt(holder.pid) === holder.started
}

/**
 * When the kernel says that a process started; empty where /proc does not exist.
 * @param {number} pid
 */
function startedAt(pid) {
  const stat = read(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}
