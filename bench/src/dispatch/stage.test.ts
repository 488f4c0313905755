// Nothing that a benchmark starts outlives it, however it ends.

import { afterEach, expect, test } from 'bun:test'
import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { openStage, type Stage } from './stage.ts'

const stages: Stage[] = []

async function stage(): Promise<Stage> {
  const opened = await openStage()
  stages.push(opened)
  return opened
}

afterEach(async () => {
  for (const each of stages.splice(0)) await each.close()
})

const shell = (script: string) => ['/bin/sh', '-c', script] as const
const bun = (script: string) => [process.execPath, '-e', script] as const
const stagePath = path.join(import.meta.dir, 'stage.ts')
const answeringPath = path.join(import.meta.dir, 'answering.ts')
const readyAt = /^ready/

/** One that has ended, and that nobody has asked about yet, still has an id. */
function isAlive(pid: number): boolean {
  const { success, stdout } = Bun.spawnSync(['ps', '-o', 'stat=', '-p', String(pid)])
  return success && !stdout.toString().trim().startsWith('Z')
}

/** Ended by somebody else, a process is gone a moment later. */
async function isGone(pid: number): Promise<boolean> {
  for (let look = 0; isAlive(pid) && look < 500; look += 1) await Bun.sleep(10)
  return !isAlive(pid)
}

test('closing ends every process and removes the folder', async () => {
  const opened = await stage()
  const one = await opened.start(shell('echo ready; exec sleep 600'), { readyAt })
  const two = await opened.start(shell('echo ready >&2; exec sleep 600'), { readyAt })
  expect([one, two].map(({ pid }) => isAlive(pid))).toEqual([true, true])
  await opened.close()
  expect([one, two].map(({ pid }) => isAlive(pid))).toEqual([false, false])
  expect(existsSync(opened.folder)).toBe(false)
})

test('a process that will not hear SIGTERM is killed', async () => {
  const opened = await stage()
  const { pid, end } = await opened.start(shell('trap "" TERM; echo ready; while :; do sleep 0.1; done'), {
    readyAt,
  })
  await end()
  expect(isAlive(pid)).toBe(false)
})

test('a process that ends before it is ready fails with its last words', async () => {
  const opened = await stage()
  const started = opened.start(shell('echo the port is taken >&2; exit 3'), { readyAt })
  await expect(started).rejects.toThrow(/exit code 3\nthe port is taken/)
})

test('a program that does not exist fails', async () => {
  const opened = await stage()
  await expect(opened.start(['/no/such/program'], { readyAt })).rejects.toThrow('/no/such/program')
})

test('only answers are taken for answers, in the order of the questions', async () => {
  const opened = await stage()
  const script = `
    import { answerQuestions } from ${JSON.stringify(answeringPath)}
    answerQuestions((question) => { console.log('a library says', question); return question + '!' })`
  const { ask } = await opened.start(bun(script), { readyAt })
  expect(await Promise.all([ask('one'), ask('two')])).toEqual(['one!', 'two!'])
})

test('a question to a process that has ended, or ends over it, is refused', async () => {
  const opened = await stage()
  const { ask, gone } = await opened.start(shell('echo ready; read line; exit 4'), { readyAt })
  const asked = expect(ask('anything')).rejects.toThrow('exit code 4')
  await gone
  await asked
  await expect(ask('still there?')).rejects.toThrow('exit code 4')
})

/** A process that owns a stage with one process in it that would live for ten minutes. */
async function owner(ending: string): Promise<{ owned: number; folder: string; child: Bun.Subprocess }> {
  const script = `
    import { openStage } from ${JSON.stringify(stagePath)}
    const stage = await openStage()
    const { pid } = await stage.start(['/bin/sh', '-c', 'echo ready; exec sleep 600'], { readyAt: /ready/ })
    console.log(JSON.stringify({ owned: pid, folder: stage.folder }))
    ${ending}`
  const child = Bun.spawn([...bun(script)], { stdout: 'pipe', stderr: 'ignore' })
  const { value } = await child.stdout.getReader().read()
  return { ...JSON.parse(new TextDecoder().decode(value)), child }
}

const waits = 'setInterval(() => {}, 1_000)'

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('after %s nothing is left', async (signal, code) => {
  const { owned, folder, child } = await owner(waits)
  child.kill(signal)
  expect(await child.exited).toBe(code)
  expect(await isGone(owned)).toBe(true)
  expect(existsSync(folder)).toBe(false)
})

test('after an error that nobody caught nothing is left', async () => {
  const { owned, folder, child } = await owner(`setTimeout(() => { throw new Error('a bug') }, 1); ${waits}`)
  expect(await child.exited).toBe(1)
  expect(await isGone(owned)).toBe(true)
  expect(existsSync(folder)).toBe(false)
})

// Only util-linux's setpriv arranges that.
test.skipIf(!Bun.spawnSync(['sh', '-c', 'setpriv --pdeathsig=KILL true']).success)(
  'after SIGKILL no process is left',
  async () => {
    const { owned, folder, child } = await owner(waits)
    child.kill('SIGKILL')
    await child.exited
    // The folder is beyond the kernel's care.
    rmSync(folder, { recursive: true })
    expect(await isGone(owned)).toBe(true)
  },
)
