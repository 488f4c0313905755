/** A worker that lies is caught, named in the receipt and not paid; nobody else is harmed, and nobody is slashed. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { type Client, orchestratorRoutes as routes } from '@shardy/api'
import type { Worker } from '@shardy/worker'
import { createLyingExecutor, startLocalWorker } from './localWorker.ts'
import { type Network, startNetwork } from './network.ts'
import { clientOf, example, finish, outputOf, submit } from './requester.ts'

setDefaultTimeout(120_000)

let network: Network
let client: Client
let liar: Worker

beforeAll(async () => {
  // The liar and one honest worker first, so that it gets work for certain; the second honest one decides.
  network = await startNetwork({ providers: 2 })
  client = clientOf(network)
  liar = await startLocalWorker(network.url, createLyingExecutor())
})

afterAll(async () => {
  await liar?.stop()
  await network?.stop()
})

test('a lying worker is caught, named and not paid', async () => {
  const { workerId } = liar.getView()
  let lied = 0
  for (let round = 0; round < 12 || lied === 0; round++) {
    const wanted = example(16, 16, 16, { rewardMicroCredit: '1001' })
    const { taskId } = await submit(client, wanted)
    const { task, events } = await finish(client, taskId)
    expect(task.status).toBe('verified')
    expect(Buffer.compare(await outputOf(client, taskId), wanted.output)).toBe(0)

    const paid = task.deliveries.filter(({ outcome }) => outcome === 'accepted')
    expect(paid).toHaveLength(2)
    expect(paid.map((each) => each.workerId)).not.toContain(workerId)
    expect(paid.reduce((sum, each) => sum + BigInt(each.rewardMicroCredit), 0n)).toBe(1001n)

    const lie = task.deliveries.find((each) => each.workerId === workerId && each.outcome === 'disagreed')
    if (lie === undefined) continue
    lied++
    expect(lie.rewardMicroCredit).toBe('0')
    expect(events.filter(({ type }) => type === 'consensus_mismatch')).toHaveLength(1)
    const receipt = await client.call(routes.taskReceipt, { params: { taskId } })
    const named = receipt.deliveries.find(({ outcome }) => outcome === 'disagreed')
    expect(named?.answer?.outputDigest).not.toBe(receipt.outputDigest)
  }
  expect(lied).toBeGreaterThan(0)
  const { workers } = await client.call(routes.workers)
  const standing = workers.find((each) => each.workerId === workerId)
  expect(standing).toMatchObject({ acceptedCount: 0, disagreedCount: lied, earnedMicroCredit: '0' })
  expect(liar.getView().totals).toMatchObject({ accepted: 0, rewardMicroCredit: 0n })
})
