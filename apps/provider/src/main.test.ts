/** The provider as a process: its exit codes, what it prints, and a task from delivery to verdict. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { evaluate, inputLength, matmulProgram, type Program } from '@shardy/tensor'
import { type FakeOrchestrator, startOrchestrator } from '@shardy/worker/testing'
import { exitCodes } from './exitCode.ts'

// A bound on a hang: a process that starts, measures its speed and tries memory takes seconds on a busy machine.
setDefaultTimeout(60_000)

const main = join(import.meta.dir, 'main.ts')
const program: Program = matmulProgram({ m: 9, k: 11, n: 5 })
const input = Uint8Array.from({ length: inputLength(program) }, (_, index) => (index * 53) & 0xff)

let data = ''
let orchestrator: FakeOrchestrator
const children: Bun.Subprocess[] = []

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'shardy-provider-'))
  orchestrator = await startOrchestrator()
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL')
    await child.exited
  }
  await orchestrator.close()
  await rm(data, { recursive: true })
})

function start(environment: Readonly<Record<string, string>> = {}, ...args: readonly string[]) {
  const child = Bun.spawn([process.execPath, main, ...args], {
    env: {
      PATH: process.env.PATH ?? '',
      SHARDY_URL: orchestrator.url,
      SHARDY_DATA: data,
      SHARDY_EXECUTOR: 'cpu',
      ...environment,
    },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  children.push(child)
  const [copy, whole] = child.stdout.tee()
  const printed = new Response(whole).text()
  const complained = new Response(child.stderr).text()
  return { child, printed, complained, prints: waitFor(copy.getReader()) }
}

interface Readable {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
}

/** Waits until the text was printed. */
function waitFor(reader: Readable): (text: string) => Promise<void> {
  const decoder = new TextDecoder()
  let printed = ''
  return async (text) => {
    while (!printed.includes(text)) {
      const { done, value } = await reader.read()
      if (done) throw new Error(`never printed '${text}', only: ${printed}`)
      printed += decoder.decode(value, { stream: true })
    }
  }
}

async function finish(started: ReturnType<typeof start>) {
  const [code, printed, complained] = await Promise.all([
    started.child.exited,
    started.printed,
    started.complained,
  ])
  return { code, printed, complained }
}

test('--help names every setting and exit code', async () => {
  const { code, printed } = await finish(start({}, '--help'))
  expect(code).toBe(0)
  for (const name of ['URL', 'DATA', 'EXECUTOR', 'SLOTS', 'PARENT'])
    expect(printed).toContain(`SHARDY_${name}`)
  for (const name of Object.keys(exitCodes)) expect(printed).toContain(name)
})

describe('refuses to start', () => {
  test('with an argument that it does not know', async () => {
    expect(await finish(start({}, '--fast'))).toEqual({
      code: exitCodes.usage,
      printed: '',
      complained: "unknown argument '--fast'; --help shows what there is\n",
    })
  })

  test('with a setting that cannot be', async () => {
    const { code, complained } = await finish(start({ SHARDY_SLOTS: 'many' }))
    expect(code).toBe(exitCodes.usage)
    expect(complained).toContain("SHARDY_SLOTS is 'many'")
  })

  test('with an identity file that is damaged', async () => {
    const path = join(data, 'worker-identity.json')
    await writeFile(path, '{}')
    const { code, complained } = await finish(start())
    expect(code).toBe(exitCodes.identityFile)
    expect(complained).toContain(path)
  })
})

test('--self-test shows device and identity and compares with the reference', async () => {
  const { code, printed } = await finish(start({}, '--self-test'))
  expect(code).toBe(0)
  expect(printed).toContain('Executor  cpu')
  expect(printed).toMatch(/Identity {2}[0-9a-f]{64}\n/)
  expect(printed).toContain('37 x 53 by 53 x 29: exact')
  expect(printed).toEndWith('Self-test passed.\n')
})

test('SHARDY_EXECUTOR=webgpu computes with an adapter or says that there is none', async () => {
  const { code, printed, complained } = await finish(start({ SHARDY_EXECUTOR: 'webgpu' }, '--self-test'))
  if (code === exitCodes.noExecutor) {
    expect(complained).toContain('SHARDY_EXECUTOR=webgpu finds no adapter')
  } else {
    expect(code).toBe(0)
    expect(printed).toContain('Executor  webgpu')
    expect(printed).toEndWith('Self-test passed.\n')
  }
})

test('works, earns, and leaves when told to', async () => {
  const started = start()
  const line = await orchestrator.line()
  const hello = await line.admit()
  expect(hello).toMatchObject({ agent: 'shardy-provider/0.1.0', executor: 'cpu' })
  const delivery = await line.deliver(program, input)
  await line.expect('ack')
  await line.expect('result')
  expect(await line.raw()).toEqual(evaluate(program, input))
  const { deliveryId } = delivery
  const settlement = { deliveryId, outcome: 'accepted' as const, rewardMicroCredit: 2_500n as never }
  line.send('settlements', { settlements: [settlement] })
  await started.prints('accepted, +0.0025 test credits')
  started.child.kill('SIGTERM')
  expect(await line.expect('presence')).toEqual({ state: 'leaving' })
  const { code, printed, complained } = await finish(started)
  expect({ code, complained }).toEqual({ code: 0, complained: '' })
  expect(printed).toContain('Computing with cpu')
  expect(printed).toContain(`This worker is ${line.workerId}`)
  expect(printed).toContain(`Task ${delivery.taskId.slice(0, 8)}: answered in`)
  expect((await stat(join(data, 'worker-identity.json'))).mode & 0o777).toBe(0o600)
})

test('keeps its identity from one start to the next', async () => {
  const identities: (string | undefined)[] = []
  for (let count = 0; count < 2; count++) {
    const started = start()
    const line = await orchestrator.line()
    await line.admit()
    identities.push(line.workerId)
    started.child.kill('SIGINT')
    expect((await finish(started)).code).toBe(0)
  }
  expect(identities[0]).toBe(identities[1] as string)
})

test('leaves when whoever started it is gone', async () => {
  const started = start({ SHARDY_PARENT: 'pipe' })
  const line = await orchestrator.line()
  await line.admit()
  await started.child.stdin.end()
  expect(await line.expect('presence')).toEqual({ state: 'leaving' })
  expect((await finish(started)).code).toBe(0)
})

test('keeps trying where nobody answers, and stops when told to', async () => {
  const gone = await startOrchestrator()
  await gone.close()
  const started = start({ SHARDY_URL: gone.url, SHARDY_PARENT: 'pipe' })
  await started.prints('Not connected: the connection ended')
  await started.child.stdin.end()
  expect((await finish(started)).code).toBe(0)
})

test('a fatal refusal ends the process and is told', async () => {
  const started = start()
  const line = await orchestrator.line()
  line.challenge()
  await line.expect('hello')
  line.send('refusal', { code: 'identityInUse', message: 'a newer connection' })
  const { code, printed } = await finish(started)
  expect(code).toBe(exitCodes.refused)
  expect(printed).toContain('Stopped: the orchestrator refused: identityInUse (a newer connection)')
})
