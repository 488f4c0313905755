/** The process that a user starts: `bin/shardy.mjs` under Node, with its streams, exit codes and signals. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import path from 'node:path'
import { sampleTask, serveRoutes, type TestServer, testApiKey } from '@shardy/sdk/testing'

const launcher = path.resolve(import.meta.dir, '../bin/shardy.mjs')
const task = sampleTask()
const children: Bun.Subprocess[] = []
let server: TestServer

beforeAll(() => {
  server = serveRoutes({
    getTask: () => ({ status: 200, json: task }),
    listTasks: () => ({ status: 200, json: { tasks: [task] } }),
    // A task about which nothing happens any more, and a line that stays open.
    taskEvents: () =>
      new Response(
        new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(':\n\n')) }),
      ),
  })
})
afterAll(() => server.close())
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL')
    await child.exited
  }
})

function start(...words: string[]) {
  const child = Bun.spawn(['node', launcher, ...words], {
    env: { PATH: process.env.PATH ?? '', SHARDY_URL: server.url, SHARDY_API_KEY: testApiKey },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  children.push(child)
  return child
}

test('prints and ends as the command does', async () => {
  const child = start('list', '--json')
  expect(await new Response(child.stdout).json()).toEqual({ tasks: [task] })
  expect(await child.exited).toBe(0)
})

test('a usage error keeps its exit code', async () => {
  const child = start('list', '--frob')
  expect(await new Response(child.stderr).text()).toContain('--frob is no option')
  expect(await child.exited).toBe(2)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} to the launcher ends a wait with 130, advice, and no process left`, async () => {
    const child = start('wait', task.taskId)
    let told = ''
    const decoder = new TextDecoder()
    for await (const chunk of child.stderr) {
      told += decoder.decode(chunk, { stream: true })
      if (told.includes('no worker is connected') && child.exitCode === null && !child.killed)
        child.kill(signal)
    }
    expect(await child.exited).toBe(130)
    // The stream ends only when nobody holds it any more, the command itself included.
    expect(told).toContain(`npx shardy wait ${task.taskId}`)
  })
}

test('a reader that has seen enough is no failure', async () => {
  const child = Bun.spawn(['sh', '-c', 'node "$0" --help | head -n 1', launcher], {
    env: { PATH: process.env.PATH ?? '' },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  children.push(child)
  expect(await new Response(child.stdout).text()).toBe(
    'shardy: submit work to the network, and check what came back\n',
  )
  expect(await new Response(child.stderr).text()).toBe('')
})

test('who stops reading is told by 141 on stdout, and changes nothing on stderr', async () => {
  const codeOf = async (script: string) => {
    const child = Bun.spawn(['bash', '-c', script, launcher], {
      env: { PATH: process.env.PATH ?? '' },
      stdout: 'pipe',
      stderr: 'pipe',
    })
    children.push(child)
    return Number((await new Response(child.stdout).text()).trim())
  }
  // `true` has gone long before anything is said.
  expect(
    await codeOf(
      'node "$0" list --url http://127.0.0.1:1 --key x 2>&1 >/dev/null | true; echo "$PIPESTATUS"',
    ),
  ).toBe(3)
  expect(await codeOf('node "$0" --help | true; echo "$PIPESTATUS"')).toBe(141)
})
