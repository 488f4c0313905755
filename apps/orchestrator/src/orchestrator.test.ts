import { describe, expect, test } from 'bun:test'
import { generateIdentity } from '@shardy/crypto'
import type { DeliveryState, TaskId, TaskStatus } from '@shardy/protocol'
import { openBlobStore, type StoreErrorKind } from '@shardy/storage'
import {
  digestOf,
  example,
  finish,
  follow,
  problemOf,
  randomBytes,
  refused,
  submit,
  taskOf,
} from '../test/example.ts'
import { createFailingStore } from '../test/failingStore.ts'
import { createManualClock } from '../test/manualClock.ts'
import {
  blobBytesMax,
  collectMs,
  openMemoryStore,
  startTestNetwork,
  type TestNetwork,
} from '../test/network.ts'
import { connectRawWorker } from '../test/rawWorker.ts'

async function open() {
  const store = createFailingStore(await openMemoryStore())
  const blobs = await openBlobStore({ kind: 'memory', blobBytesMax })
  return { store, blobs, network: await startTestNetwork({ store, blobs }) }
}

/** What all workers have earned here. */
function earnedByAll({ orchestrator }: TestNetwork): bigint {
  const { bookkeeper, dispatcher } = orchestrator.services
  return [...dispatcher.state().standings.keys()].reduce(
    (sum, workerId) => sum + bookkeeper.book.slashable(workerId),
    0n,
  )
}

/** Leases and answers that nothing rests on get to the disk within half a second. */
async function savedAs(
  { orchestrator }: TestNetwork,
  taskId: string,
  status: TaskStatus,
  state?: DeliveryState,
): Promise<void> {
  for (;;) {
    const task = await orchestrator.services.archive.task(taskId as TaskId)
    const isThere = state === undefined || task?.deliveries.some((each) => each.state === state)
    if (task?.status === status && isThere) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('a store that fails', () => {
  for (const kind of ['failed', 'diskFull', 'crashed'] as const satisfies readonly StoreErrorKind[]) {
    test(`(${kind}) fails the submission, and the process is told to end`, async () => {
      const { store, network } = await open()
      const before = await submit(network)
      store.fail(kind, 'liveTasks')
      const failed = await network.request('/v1/tasks', { json: example().submission })
      expect(failed.status).toBe(507)
      expect(await refused(failed)).toBe('storageFailed')
      expect(network.fatal).toHaveLength(1)
      // Nothing is taken any more, and what was read before can still be.
      expect(await refused(network.request('/v1/tasks', { json: example().submission }))).toBe('shuttingDown')
      expect((await taskOf(network, before.taskId)).status).toBe('waiting')
      expect((await network.request('/v1/tasks').then((each) => each.json())) as object).toMatchObject({
        tasks: [{ taskId: before.taskId }],
      })
      await network.stop()
    })
  }

  test('in the middle of a verdict pays nobody, and the next process pays once', async () => {
    const { store, blobs, network } = await open()
    const { submission } = example({ rewardMicroCredit: '1000', verify: 'quorum(2,2)' })
    const { taskId } = await submit(network, submission)
    const [one, two] = [
      await connectRawWorker(network.serving.url),
      await connectRawWorker(network.serving.url),
    ]
    await Promise.all([one.join(), two.join()])
    const [work, other] = await Promise.all([one.work(), two.work()])
    one.commit(work)
    two.commit(other)
    await Promise.all([one.closing(work), two.closing(other)])
    one.send(await one.results({ work }))
    await follow(network, taskId, ({ type }) => type === 'answered')
    store.fail('failed', 'tasks')
    two.send(await two.results({ work: other }))
    while (network.fatal.length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect([one, two].flatMap(({ frames }) => frames.filter(({ type }) => type === 'settlements'))).toEqual(
      [],
    )
    await network.stop()
    store.mend()

    const again = await startTestNetwork({ store, blobs })
    await Promise.all([again.startWorker(), again.startWorker()])
    const { archive, dispatcher } = again.orchestrator.services
    while (dispatcher.state().tasks.size > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(earnedByAll(again)).toBe(1000n)
    expect((await archive.task(taskId as TaskId))?.status).toBe('verified')
    await again.stop()
  })

  test('of blobs fails the upload alone', async () => {
    const { store, network } = await open()
    store.fail('diskFull', 'blobs')
    const bytes = randomBytes(10)
    const put = () => network.request(`/v1/blobs/${digestOf(bytes)}`, { method: 'PUT', body: bytes })
    expect(await problemOf(await put())).toMatchObject({ code: 'storageFull', status: 507 })
    store.mend()
    expect((await put()).status).toBe(200)
    expect(network.fatal).toEqual([])
    await network.stop()
  })

  test('when an output is stored costs the delivery, not the connection', async () => {
    const store = createFailingStore(await openMemoryStore())
    const network = await startTestNetwork({
      store,
      policy: { backoffMsMin: 1 as never, backoffMsMax: 5 as never },
    })
    // Larger than what travels with its task.
    const { taskId } = await submit(network, example({}, [100, 3, 100]).submission)
    const worker = await connectRawWorker(network.serving.url)
    await worker.join()
    const work = await worker.work()
    store.fail('diskFull', 'blobs')
    worker.send(await worker.result(work), work.output)
    const events = await follow(network, taskId, ({ type }) => type === 'corrupted')
    expect(events.at(-1)?.detail).toBe('the output could not be stored')
    expect(worker.isClosed()).toBe(false)
    store.mend()
    await worker.disconnect()
    await network.startWorker()
    expect((await finish(network, taskId)).status).toBe('verified')
    await network.stop()
  })

  test('that is busy is 503, to try again', async () => {
    const { store, network } = await open()
    store.fail('overloaded', 'blobs')
    const bytes = randomBytes(10)
    const answer = await network.request(`/v1/blobs/${digestOf(bytes)}`, { method: 'PUT', body: bytes })
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await refused(answer)).toBe('overloaded')
    await network.stop()
  })

  test('at the start ends the process before it serves anything as if it were durable', async () => {
    const { store, blobs, network: first } = await open()
    const worker = await connectRawWorker(first.serving.url)
    await worker.join()
    const { taskId } = await submit(first)
    await worker.work()
    await savedAs(first, taskId, 'running')
    // Killed: nothing is told that the worker left.
    store.fail('failed', 'liveTasks')
    await first.stop()
    const second = await startTestNetwork({ store, blobs })
    while (second.fatal.length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(
      await refused(second.request('/v1/tasks', { json: example().submission, apiKey: first.apiKey })),
    ).toBe('shuttingDown')
    await second.stop()
    store.mend()
    const third = await startTestNetwork({ store, blobs })
    expect((await third.request(`/v1/tasks/${taskId}`, { apiKey: first.apiKey })).status).toBe(200)
    await third.stop()
  })
})

describe('a restart in the middle', () => {
  const sizes = [
    ['lies beside its task', [3, 5, 7]],
    ['is a blob', [100, 3, 100]],
  ] as const
  for (const [where, size] of sizes) {
    test(`keeps the first answer of two, whose output ${where}`, async () => {
      const { store, blobs, network } = await open()
      const wanted = example({ rewardMicroCredit: '1000', verify: 'quorum(2,2)' }, [...size])
      const { taskId } = await submit(network, wanted.submission)
      const [gone, late] = [
        await connectRawWorker(network.serving.url),
        await connectRawWorker(network.serving.url),
      ]
      await Promise.all([gone.join(), late.join()])
      const [work, other] = await Promise.all([gone.work(), late.work()])
      gone.commit(work)
      late.commit(other)
      await gone.closing(work)
      gone.send(await gone.result(work), work.output)
      await savedAs(network, taskId, 'running', 'answered')
      store.fail('failed', 'liveTasks', 'tasks', 'standings')
      await network.stop()
      store.mend()

      const again = await startTestNetwork({ store, blobs })
      const call = { apiKey: network.apiKey }
      await again.startWorker()
      const { archive, dispatcher, payloads } = again.orchestrator.services
      while (dispatcher.state().tasks.size > 0) await new Promise((resolve) => setImmediate(resolve))
      const task = await archive.task(taskId as TaskId)
      expect(task?.status).toBe('verified')
      expect(task?.deliveries.find(({ workerId }) => workerId === gone.workerId)).toMatchObject({
        outcome: 'accepted',
        rewardMicroCredit: 500n,
      })
      // The other one was out: that it is lost is nobody's fault.
      expect(task?.deliveries.find(({ workerId }) => workerId === late.workerId)).toMatchObject({
        outcome: 'lost',
        excused: true,
      })
      expect(earnedByAll(again)).toBe(1000n)
      const output = await again.request(`/v1/tasks/${taskId}/output`, call)
      expect(await output.bytes()).toEqual(wanted.output)
      expect(payloads.answerBytes()).toBe(0)
      await again.stop()
    })
  }

  test('gives a task to the worker again that lost it by no doing of its own', async () => {
    const { store, blobs, network } = await open()
    const identity = await generateIdentity({ extractable: false })
    const worker = await connectRawWorker(network.serving.url, identity)
    await worker.join()
    const { taskId } = await submit(network)
    const before = await worker.work()
    await savedAs(network, taskId, 'running')
    store.fail('failed', 'liveTasks')
    await network.stop()
    store.mend()
    const again = await startTestNetwork({ store, blobs })
    const back = await connectRawWorker(again.serving.url, identity)
    await back.join()
    const work = await back.work()
    expect(work.delivery.deliveryId).not.toBe(before.delivery.deliveryId)
    // What it computed before is no answer to anything now.
    back.send(await back.results({ work: before }))
    await back.answer(work)
    expect(await back.settled()).toMatchObject({ outcome: 'accepted' })
    await again.stop()
  })
})

test('what falls due and what is collected goes on by the clock, and stops with it', async () => {
  const clock = createManualClock()
  const network = await startTestNetwork({ clock, blobPolicy: { graceMs: 0 } })
  const bytes = randomBytes(10)
  const { taskId } = await submit(network, example({ timeoutMs: 1_000 }).submission)
  await network.request(`/v1/blobs/${digestOf(bytes)}`, { method: 'PUT', body: bytes })
  clock.advance(1_000)
  expect((await follow(network, taskId)).at(-1)).toMatchObject({ type: 'task_dead', detail: 'deadline' })
  clock.advance(collectMs)
  while (await network.blobs.has(digestOf(bytes))) await new Promise((resolve) => setImmediate(resolve))
  await network.stop()
  clock.advance(10 * collectMs)
  expect(network.fatal).toEqual([])
})

test('many requesters and workers at once: every task verified, every credit paid, nothing left over', async () => {
  const blobs = await openBlobStore({ kind: 'memory', blobBytesMax })
  const network = await startTestNetwork({ blobs })
  await Promise.all(Array.from({ length: 4 }, () => network.startWorker()))
  const wanted = Array.from({ length: 200 }, (_, index) => example({ rewardMicroCredit: String(index) }))
  const tasks = await Promise.all(
    wanted.map(async ({ submission }) => finish(network, (await submit(network, submission)).taskId)),
  )
  for (const [index, task] of tasks.entries()) {
    expect(task.outputDigest).toBe(digestOf(wanted[index]?.output ?? new Uint8Array(0)))
  }
  const { dispatcher, events, payloads } = network.orchestrator.services
  expect(earnedByAll(network)).toBe((199n * 200n) / 2n)
  expect([dispatcher.state().tasks.size, dispatcher.state().deliveries.size, events.size()]).toEqual([
    0, 0, 0,
  ])
  expect(payloads.answerBytes()).toBe(0)
  await network.stop()
}, 30_000)
