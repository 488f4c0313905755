/** Real proofs over real sockets: a delivery is settled once whatever form its proof takes, and a proof alone is worth nothing. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { ReceiptView, Submission, TaskView } from '@shardy/api'
import { sha256 } from '@shardy/crypto/native'
import { openVerifierPool } from '@shardy/proofs/pool'
import type { TaskId, ZkProofPayload } from '@shardy/protocol'
import type { TaskProver } from '@shardy/worker'
import { createKeyLoader, createTaskProver } from '@shardy/worker/proving'
import { example, finish, submit, taskOf } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { type Answered, connectRawWorker, type RawWorker, type Work } from '../../test/rawWorker.ts'
import { openProofs } from './openProofs.ts'

setDefaultTimeout(60_000)

const folder = path.join(import.meta.dir, '../../../../circuits/artifacts')
const prover: TaskProver = createTaskProver(
  createKeyLoader((name) => readFile(path.join(folder, name)), sha256),
  sha256,
)
let network: TestNetwork

beforeAll(async () => {
  const openPool = (key: unknown) => openVerifierPool({ key, threads: 1 })
  network = await startTestNetwork({ proofs: await openProofs({ folder, kinds: ['v2'], sha256, openPool }) })
})
afterAll(() => network.stop())

/** The proof that a delivery asks for, of its honest answer or of another. */
async function proofOf(
  { delivery, output, outputDigest }: Work,
  about = outputDigest,
): Promise<ZkProofPayload> {
  const { proof, taskId, seed } = delivery
  if (proof === undefined) throw new Error('no proof was asked for')
  const asked = { ...proof, taskId, seed, outputDigest: about, outputLength: output.length }
  const [made] = await prover.prove([asked])
  return made as ZkProofPayload
}

async function joined(): Promise<RawWorker> {
  const worker = await connectRawWorker(network.serving.url)
  await worker.join({ features: ['proof-v2'] })
  return worker
}

async function given(about: Partial<Submission> = {}): Promise<TaskId> {
  const { submission } = example()
  return (await submit(network, { ...submission, ...about })).taskId as TaskId
}

const say = async (worker: RawWorker, work: Work, proof: ZkProofPayload | undefined): Promise<void> =>
  worker.send(await worker.results({ work, overrides: { proof } }))

test('a task is proven unless it says otherwise, and a worker that makes no proofs is not asked', async () => {
  const idle = await connectRawWorker(network.serving.url)
  await idle.join()
  const taskId = await given()
  const view = await taskOf(network, taskId)
  expect(view).toMatchObject({ proof: 'v2', constraints: ['proofNotMade'] })
  expect(view.proofSays).toContain('does not show that the answer is right')
  const worker = await joined()
  const work = await worker.work()
  await say(worker, work, await proofOf(work))
  expect(await worker.settled()).toMatchObject({ outcome: 'accepted' })
  expect((await finish(network, taskId)) as TaskView).toMatchObject({ status: 'verified', basis: 'checked' })
  await Promise.all([idle.disconnect(), worker.disconnect()])
})

test('another form of the proof, and the same again, settle nothing a second time', async () => {
  const worker = await joined()
  const taskId = await given()
  const work = await worker.work()
  const [first, second] = [await proofOf(work), await proofOf(work)]
  expect(first.proof).not.toEqual(second.proof)
  // At once, while the first is being verified, and once it is settled.
  await say(worker, work, first)
  await say(worker, work, second)
  await say(worker, work, first)
  const settlement = await worker.settled()
  expect(settlement.outcome).toBe('accepted')
  await say(worker, work, second)
  await worker.heard()
  const task = await finish(network, taskId)
  expect(task.deliveries).toMatchObject([{ outcome: 'accepted' }])
  expect(worker.frames.filter(({ type }) => type === 'settlements')).toHaveLength(1)
  const receipt = (await (await network.request(`/v1/tasks/${taskId}/receipt`)).json()) as ReceiptView
  expect(receipt.deliveries[0]?.answer?.proof).toMatchObject({ kind: 'v2', verifierVersion: 2 })
  await worker.disconnect()
})

test('honest replicas with equal digests are all taken, also when one shows the proof of the other', async () => {
  const workers = [await joined(), await joined()] as const
  const taskId = await given({ verify: 'quorum(2,2)' })
  const works = await Promise.all(workers.map((worker) => worker.work()))
  const [work] = works as [Work]
  // The statement of v2 names no worker, so this is the other's proof as much as its own.
  const proof = await proofOf(work)
  for (const [index, worker] of workers.entries()) worker.commit(works[index] as Work)
  for (const [index, worker] of workers.entries()) {
    await worker.closing(works[index] as Work)
    await say(worker, works[index] as Work, proof)
  }
  for (const worker of workers) expect(await worker.settled()).toMatchObject({ outcome: 'accepted' })
  expect((await finish(network, taskId)) as TaskView).toMatchObject({
    status: 'verified',
    basis: 'agreement',
  })
  await Promise.all(workers.map((worker) => worker.disconnect()))
})

test('an answer without its proof, or with one of something else, is tried again elsewhere and held against nobody', async () => {
  const wrongs: readonly (readonly [string, (work: Work) => Promise<ZkProofPayload | undefined>])[] = [
    ['is missing', async () => undefined],
    ['as false', (work) => proofOf(work, 'ab'.repeat(32) as never)],
    [
      'as false',
      async (work) => proofOf({ ...work, delivery: { ...work.delivery, taskId: '0f'.repeat(16) as never } }),
    ],
    ['as infinity', async (work) => ({ ...(await proofOf(work)), proof: new Uint8Array(256) })],
    ['for version 3', async (work) => ({ ...(await proofOf(work)), verifierVersion: 3 })],
    ['of kind v3', async (work) => ({ ...(await proofOf(work)), kind: 'v3' })],
  ]
  for (const [text, make] of wrongs) {
    const bad = await joined()
    const taskId = await given()
    const work = await bad.work()
    await say(bad, work, await make(work))
    expect(await bad.settled()).toMatchObject({ outcome: 'corrupted', rewardMicroCredit: 0n })
    const record = network.orchestrator.services.dispatcher.state().tasks.get(taskId)
    expect(
      record?.history.at(-1)?.detail ?? record?.history.find(({ type }) => type === 'corrupted')?.detail,
    ).toContain(text)
    const good = await joined()
    const again = await good.work()
    await say(good, again, await proofOf(again))
    expect(await good.settled()).toMatchObject({ outcome: 'accepted' })
    const standing = network.orchestrator.services.dispatcher.state().standings.get(bad.workerId)
    expect(standing?.conduct.offences ?? 0).toBe(0)
    await Promise.all([bad.disconnect(), good.disconnect()])
  }
})

test('a wrong answer is wrong, however good its proof', async () => {
  const liar = await joined()
  const taskId = await given()
  const work = await liar.work()
  const output = work.output.map((byte, index) => (index === 0 ? byte ^ 1 : byte))
  const lie = { ...work, output, outputDigest: sha256(output).toHex() as never }
  const proof = await proofOf(lie)
  liar.send(await liar.results({ work, output, overrides: { proof } }))
  expect(await liar.settled()).toMatchObject({ outcome: 'wrong' })
  await network.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })
  await liar.disconnect()
})

test("more proofs than may wait at a time are nobody's fault: what cannot be verified now is tried again", async () => {
  const openPool = (key: unknown) => openVerifierPool({ key, threads: 1, queuedMax: 8 })
  const small = await startTestNetwork({
    proofs: await openProofs({ folder, kinds: ['v2'], sha256, openPool }),
  })
  const worker = await connectRawWorker(small.serving.url)
  await worker.join({ features: ['proof-v2'], slots: 64 })
  const count = 24
  const ids = await Promise.all(
    Array.from({ length: count }, async () => (await submit(small, example().submission)).taskId),
  )
  const given: Answered[] = []
  for (let index = 0; index < count; index++) {
    const work = await worker.work()
    given.push({ work, overrides: { proof: await proofOf(work) } })
  }
  worker.send(await worker.results(...given))
  const outcomes: string[] = []
  for (let index = 0; index < count; index++) outcomes.push((await worker.settled()).outcome)
  expect(new Set(outcomes)).toEqual(new Set(['accepted', 'lost']))
  const { standings, tasks } = small.orchestrator.services.dispatcher.state()
  expect(standings.get(worker.workerId)).toMatchObject({ failures: 0, failingUntilMs: undefined })
  const open = ids.flatMap((id) => tasks.get(id as TaskId) ?? [])
  expect(open.length).toBeGreaterThan(0)
  for (const { deliveries } of open) expect(deliveries[0]).toMatchObject({ outcome: 'lost', excused: true })
  await small.stop()
})
