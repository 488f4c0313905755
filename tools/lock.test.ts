// Who may hold the lock: one process at a time, and a dead holder's lock once its child has ended too.

import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { withLock } from './lock.mjs'

let folder = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'shardy-lock-'))
  file = path.join(folder, 'lock')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Of a process that has certainly ended. */
async function deadPid(): Promise<number> {
  const child = Bun.spawn([process.execPath, '--version'], { stdout: 'ignore' })
  await child.exited
  return child.pid
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const lockOf = (pid: number) => JSON.stringify({ pid, started: 'long ago', nonce: 'a' })

test('is held during the work and gone afterwards, also when the work fails', async () => {
  const held = await withLock(file, 'test', async () => readFileSync(file, 'utf8'))
  expect(JSON.parse(held).pid).toBe(process.pid)
  await expect(withLock(file, 'test', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(readdirSync(folder)).toEqual([])
})

test('many at once enter one after the other', async () => {
  let inside = 0
  let most = 0
  const enter = () =>
    withLock(file, 'test', async () => {
      inside += 1
      most = Math.max(most, inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside -= 1
    })
  await Promise.all(Array.from({ length: 5 }, enter))
  expect(most).toBe(1)
})

describe('a lock is taken over', () => {
  test('when its holder is dead', async () => {
    writeFileSync(file, lockOf(await deadPid()))
    expect(await withLock(file, 'test', async () => 'entered')).toBe('entered')
    expect(readdirSync(folder)).toEqual([])
  })

  test('by one of many who wait for it', async () => {
    writeFileSync(file, lockOf(await deadPid()))
    let inside = 0
    const enter = () =>
      withLock(file, 'test', async () => {
        inside += 1
        expect(inside).toBe(1)
        await new Promise((resolve) => setImmediate(resolve))
        inside -= 1
      })
    await Promise.all(Array.from({ length: 5 }, enter))
  })

  // Only Linux says when a process started.
  test.skipIf(process.platform !== 'linux')('when its pid now belongs to another process', async () => {
    writeFileSync(file, lockOf(process.pid))
    expect(await withLock(file, 'test', async () => 'entered')).toBe('entered')
  })

  test('when it is unreadable and old', async () => {
    writeFileSync(file, '')
    utimesSync(file, new Date(0), new Date(0))
    expect(await withLock(file, 'test', async () => 'entered')).toBe('entered')
  })

  test("only after the dead holder's child has ended", async () => {
    const child = Bun.spawn([process.execPath, '--eval', 'for await (const _ of Bun.stdin.stream());'], {
      stdin: 'pipe',
    })
    const stat = existsSync(`/proc/${child.pid}/stat`) ? readFileSync(`/proc/${child.pid}/stat`, 'utf8') : ''
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
    writeFileSync(file, lockOf(await deadPid()))
    writeFileSync(`${file}.child`, JSON.stringify({ pid: child.pid, started, nonce: 'b' }))
    const entered = withLock(file, 'test', async () => isRunning(child.pid))
    child.stdin.end()
    expect(await entered).toBe(false)
  })
})
