/**
 * Everything as a user does it: `npm start`, the page opened in a browser, tasks submitted, and the receipt checked
 * by the command line without trusting anyone.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Client, orchestratorRoutes as routes } from '@shardy/api'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, startTab } from './browser.ts'
import { shardy } from './cli.ts'
import { type Network, startNetwork } from './network.ts'
import { clientOf, example, finish, outputOf, submit } from './requester.ts'

// A bound on a hang, not a claim about speed: the first start on a fresh clone builds the page.
setDefaultTimeout(120_000)

let network: Network
let browser: Browser
let page: Page
let client: Client
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-e2e-files-'))
  ;[network, browser] = await Promise.all([startNetwork(), openBrowser()])
  client = clientOf(network)
})

afterAll(async () => {
  await browser?.close()
  await network?.stop()
  await rm(folder, { recursive: true, force: true })
})

test('the headless worker alone is enough: its answer is checked, and the whole reward is its own', async () => {
  const wanted = example(64, 64, 64, { rewardMicroCredit: '1001' })
  const { taskId } = await submit(client, wanted)
  const { task } = await finish(client, taskId)
  expect(task).toMatchObject({ status: 'verified', verify: 'checked', basis: 'checked' })
  expect(task.deliveries).toMatchObject([{ outcome: 'accepted', rewardMicroCredit: '1001' }])
  expect(Buffer.compare(await outputOf(client, taskId), wanted.output)).toBe(0)
})

describe('a tab and a headless worker', () => {
  beforeAll(async () => {
    page = await startTab(browser, network.url)
  })

  const shapes: readonly (readonly [number, number, number])[] = [
    [32, 32, 32],
    [1, 1, 1],
    [3, 5, 7],
    [65, 129, 33],
    [128, 256, 64],
  ]
  for (const [m, k, n] of shapes) {
    test(`agree on ${m}×${k}×${n}, and the output is what the definition says`, async () => {
      const wanted = example(m, k, n, { verify: 'quorum(2,2)' })
      const { taskId } = await submit(client, wanted)
      const { task, events } = await finish(client, taskId)
      expect(task.status).toBe('verified')
      expect(task.deliveries.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted'])
      expect(new Set(task.deliveries.map(({ workerId }) => workerId)).size).toBe(2)
      expect(events.at(-1)?.type).toBe('task_verified')
      // No answer is shown to listeners before the verdict, or one of them could repeat it.
      expect(events.filter(({ outputDigest }) => outputDigest).map(({ type }) => type)).toEqual([
        'task_verified',
      ])
      expect(Buffer.compare(await outputOf(client, taskId), wanted.output)).toBe(0)
    })
  }

  test('a requester checks its receipt alone, and recomputes', async () => {
    const submitted = await shardy(network, 'submit', 'matmul', '--size', '48', '--wait', '--json')
    expect(submitted.exitCode).toBe(0)
    const { taskId } = JSON.parse(submitted.stdout)
    const file = path.join(folder, 'receipt.json')
    expect((await shardy(network, 'receipt', taskId, '--to', file)).exitCode).toBe(0)
    const checked = await shardy(network, 'receipt', 'check', file, '--recompute')
    expect(checked.stdout + checked.stderr).toContain(taskId)
    expect(checked.exitCode).toBe(0)

    const forged = JSON.parse(await Bun.file(file).text())
    forged.outputDigest = forged.inputDigest
    await Bun.write(file, JSON.stringify(forged))
    expect((await shardy(network, 'receipt', 'check', file)).exitCode).not.toBe(0)
  })

  test.each([
    ['v2', 'identity binding'],
    ['v3', 'adds up exactly'],
  ] as const)('both prove %s, and a stranger verifies the proofs', async (proof, says) => {
    const { taskId } = await submit(client, example(40, 56, 24, { verify: 'quorum(2,2)', proof }))
    const { task } = await finish(client, taskId)
    expect(task.deliveries.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted'])
    const file = path.join(folder, `receipt-${proof}.json`)
    expect((await shardy(network, 'receipt', taskId, '--to', file)).exitCode).toBe(0)
    const checked = await shardy(network, 'receipt', 'check', file)
    expect(checked.exitCode).toBe(0)
    const held = checked.stdout.split('\n').filter((line) => line.includes(`proof ${proof}`))
    expect(held).toHaveLength(2)
    for (const line of held) expect(line).toMatch(new RegExp(`holds under development key \\d: .*${says}`))

    const forged = JSON.parse(await Bun.file(file).text())
    const [first, second] = forged.deliveries
    first.answer.proof.proof = second.answer.proof.proof.replace(/^./, (letter: string) =>
      letter === 'A' ? 'B' : 'A',
    )
    await Bun.write(file, JSON.stringify(forged))
    const refused = await shardy(network, 'receipt', 'check', file)
    expect(refused.exitCode).not.toBe(0)
    expect(refused.stdout + refused.stderr).toContain('badProof')
  })

  test('the page shows what it did and earned', async () => {
    for (const proof of ['v2', 'v3']) {
      // Each kind is explained once, in the words of the API.
      expect(await page.getByTestId(`proof-${proof}`).count()).toBe(1)
    }
    await page.locator('[data-testid=history][data-outcome=accepted]').first().waitFor()
    const rows = await page.locator('[data-testid=history][data-outcome=accepted]').count()
    expect(rows).toBeGreaterThanOrEqual(shapes.length)
    const workerId = await page.getByTestId('worker-id').getAttribute('data-worker-id')
    const { workers } = await client.call(routes.workers)
    const standing = workers.find((each) => each.workerId === workerId)
    expect(standing?.executor).toBe('webgpu')
    expect(await page.getByTestId('earned').getAttribute('data-micro-credit')).toBe(
      standing?.earnedMicroCredit ?? 'no standing',
    )
  })
})

test('Ctrl-C ends everything: exit code 0, nobody serves, nothing is left running', async () => {
  await browser.close()
  const before = await childrenOf(network.pid)
  expect(before.length).toBeGreaterThanOrEqual(2)
  await network.stop()
  expect(network.output()).toContain('Stopped.')
  await expect(fetch(`${network.url}/v1/health`)).rejects.toThrow()
  for (const pid of before) expect(isRunning(pid)).toBe(false)
})

/** Every process below `pid`. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const listed = await new Response(Bun.spawn(['ps', '-eo', 'pid=,ppid=']).stdout).text()
  const pairs = listed
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const below = (parent: number): number[] =>
    pairs.filter(([, ppid]) => ppid === parent).flatMap(([child = 0]) => [child, ...below(child)])
  return below(pid)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
