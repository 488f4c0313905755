/**
 * A worker that lies is found by the check, named in the receipt, not paid and put in quarantine; nobody else is harmed. The honest
 * ones are a tab in Chromium, which takes the task that the liar had, and a headless worker. In a quorum the answers differ, and
 * computing the task again says which is right.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Client, followTask, orchestratorRoutes as routes, type TaskView } from '@shardy/api'
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
})

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()))
  await browser?.close()
  await network?.stop()
  await rm(folder, { recursive: true, force: true })
})

const accepted = (task: TaskView) => task.deliveries.filter(({ outcome }) => outcome === 'accepted')

test('alone with a checked task, a liar is refuted, and on record with evidence that anybody can repeat', async () => {
  const liar = await startLocalWorker(network.url, createLyingExecutor())
  workers.push(liar)
  const { workerId } = liar.getView()
  const wanted = example(33, 17, 9, { rewardMicroCredit: '1001' })
  const { taskId } = await submit(client, wanted)
  for await (const { type } of followTask(client, taskId)) if (type === 'quarantined') break
  const undecided = await client.call(routes.getTask, { params: { taskId } })
  expect(undecided.status).toBe('waiting')

  tab = await startTab(browser, network.url)
  const { task } = await finish(client, taskId)
  expect(task).toMatchObject({ status: 'verified', basis: 'checked' })
  expect(Buffer.compare(await outputOf(client, taskId), wanted.output)).toBe(0)
  const tabId = (await tab.getByTestId('worker-id').getAttribute('data-worker-id')) ?? ''
  expect(accepted(task)).toMatchObject([{ workerId: tabId, rewardMicroCredit: '1001' }])

  const receipt = await client.call(routes.taskReceipt, { params: { taskId } })
  const named = receipt.deliveries.filter(({ outcome }) => outcome === 'wrong')
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

  const { offences } = await client.call(routes.listOffences)
  expect(offences).toMatchObject([{ taskId, workerId, consequence: 'unpaidAndQuarantine' }])
  const evidence = await client.call(routes.getOffence, {
    params: { deliveryId: offences[0]?.deliveryId ?? '' },
  })
  const evidenceFile = path.join(folder, 'evidence.json')
  await Bun.write(evidenceFile, JSON.stringify(evidence))
  const repeated = await shardy(network, 'evidence', 'check', evidenceFile)
  expect(repeated.stdout).toContain(`The evidence against worker ${workerId} holds.`)
  expect(repeated.exitCode).toBe(0)

  const listed = await client.call(routes.workers)
  expect(listed.workers.find((each) => each.workerId === workerId)).toMatchObject({
    acceptedCount: 0,
    earnedMicroCredit: '0',
  })
  expect(liar.getView().totals).toMatchObject({ accepted: 0, rewardMicroCredit: 0n })
  await liar.stop()
  await tab.locator('[data-testid=history][data-outcome=accepted]').waitFor()
})

test('in a quorum a liar that disagrees is found by computing again', async () => {
  const liar = await startLocalWorker(network.url, createLyingExecutor())
  workers.push(liar)
  const { workerId } = liar.getView()
  const wanted = example(21, 8, 13, { rewardMicroCredit: '1001', verify: 'quorum(2,2)' })
  const { taskId } = await submit(client, wanted)
  const { task, events } = await finish(client, taskId)
  expect(task).toMatchObject({ status: 'verified', basis: 'checked' })
  expect(events.filter(({ type }) => type === 'consensus_mismatch')).toHaveLength(1)
  expect(Buffer.compare(await outputOf(client, taskId), wanted.output)).toBe(0)
  expect(task.deliveries.filter(({ outcome }) => outcome === 'wrong')).toMatchObject([{ workerId }])
  expect(accepted(task).reduce((sum, each) => sum + BigInt(each.rewardMicroCredit), 0n)).toBe(1001n)
})
