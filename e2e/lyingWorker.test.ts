/**
 * A worker that lies is caught, named in the receipt and not paid; nobody else is harmed, and nobody is slashed. The
 * honest ones are a tab in Chromium, which meets the liar alone, and a headless worker, which comes and decides.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Client, followTask, orchestratorRoutes as routes } from '@shardy/api'
import { createCpuExecutor } from '@shardy/compute'
import { sha256 } from '@shardy/crypto/native'
import type { Worker } from '@shardy/worker'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, startTab } from './browser.ts'
import { shardy } from './cli.ts'
import { createLyingExecutor, startLocalWorker } from './localWorker.ts'
import { type Network, startNetwork } from './network.ts'
import { clientOf, example, finish, outputOf, submit } from './requester.ts'

setDefaultTimeout(120_000)

let folder: string
let network: Network
let client: Client
let browser: Browser
let tab: Page
const workers: Worker[] = []

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shardy-e2e-files-'))
  ;[network, browser] = await Promise.all([startNetwork({ providers: 0 }), openBrowser()])
  client = clientOf(network)
  tab = await startTab(browser, network.url)
})

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()))
  await browser?.close()
  await network?.stop()
  await rm(folder, { recursive: true, force: true })
})

test('a lying worker is caught, named and not paid', async () => {
  const liar = await startLocalWorker(network.url, createLyingExecutor())
  workers.push(liar)
  const { workerId } = liar.getView()
  const wanted = example(33, 17, 9, { rewardMicroCredit: '1001' })
  const { taskId } = await submit(client, wanted)
  for await (const { type } of followTask(client, taskId)) if (type === 'consensus_mismatch') break
  const undecided = await client.call(routes.getTask, { params: { taskId } })
  expect(undecided.waitingFor).toContain('needs 1 more worker')
  expect(undecided.deliveries.every(({ outputDigest }) => outputDigest === undefined)).toBe(true)

  workers.push(await startLocalWorker(network.url, createCpuExecutor()))
  const { task, events } = await finish(client, taskId)
  expect(task.status).toBe('verified')
  expect(Buffer.compare(await outputOf(client, taskId), wanted.output)).toBe(0)
  expect(events.filter(({ type }) => type === 'consensus_mismatch')).toHaveLength(1)

  const paid = task.deliveries.filter(({ outcome }) => outcome === 'accepted')
  expect(paid).toHaveLength(2)
  expect(paid.map((each) => each.workerId)).not.toContain(workerId)
  expect(paid.map((each) => each.workerId)).toContain(
    (await tab.getByTestId('worker-id').getAttribute('data-worker-id')) ?? '',
  )
  expect(paid.reduce((sum, each) => sum + BigInt(each.rewardMicroCredit), 0n)).toBe(1001n)

  const receipt = await client.call(routes.taskReceipt, { params: { taskId } })
  const named = receipt.deliveries.filter(({ outcome }) => outcome === 'disagreed')
  expect(named).toHaveLength(1)
  expect(sha256(Uint8Array.fromBase64(named[0]?.workerKey ?? '')).toHex()).toBe(workerId)
  expect(named[0]?.rewardMicroCredit).toBe('0')
  expect(named[0]?.answer?.outputDigest).toBeString()
  expect(named[0]?.answer?.outputDigest).not.toBe(receipt.outputDigest)
  const file = path.join(folder, 'receipt.json')
  await Bun.write(file, JSON.stringify(receipt))
  const checked = await shardy(network, 'receipt', 'check', file, '--recompute')
  expect(checked.stdout).toContain(workerId)
  expect(checked.exitCode).toBe(0)

  const listed = await client.call(routes.workers)
  expect(listed.workers.find((each) => each.workerId === workerId)).toMatchObject({
    acceptedCount: 0,
    disagreedCount: 1,
    earnedMicroCredit: '0',
  })
  expect(liar.getView().totals).toMatchObject({ accepted: 0, rewardMicroCredit: 0n })
  await tab.locator('[data-testid=history][data-outcome=accepted]').waitFor()
})
