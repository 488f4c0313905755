import { describe, expect, test } from 'bun:test'
import type { TaskId } from '@shardy/protocol'
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
import { blobBytesMax, collectMs, openMemoryStore, startTestNetwork } from '../test/network.ts'
import { connectRawWorker } from '../test/rawWorker.ts'

async function open() {
  const store = createFailingStore(await openMemoryStore())
  const blobs = await openBlobStore({ kind: 'memory', blobBytesMax })
  return { store, blobs, network: await startTestNetwork({ store, blobs }) }
}

describe('a store that fails', () => {
  for (const kind of ['failed', 'diskFull', 'crashed'] as const satisfies readonly StoreErrorKind[]) {
    test(`(${kind}) fails the submission, and the process is told to end`, async () => {
      const { store, network } = await open()
      const before = await submit(network)
      store.fail(kind, 'tasks')
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
    const { taskId } = await submit(network, example({ rewardMicroCredit: '1000' }).submission)
    const [one, two] = [
      await connectRawWorker(network.serving.url),
      await connectRawWorker(network.serving.url),
    ]
    await Promise.all([one.join(), two.join()])
    const [work, other] = await Promise.all([one.work(), two.work()])
    one.commit(work)
    two.commit(other)
    await Promise.all([one.next('commitmentsClosed'), two.next('commitmentsClosed')])
    one.reveal(work)
    one.send(await one.result(work), work.output)
    await follow(network, taskId, ({ type }) => type === 'answered')
    store.fail('failed', 'standings')
    two.reveal(other)
    two.send(await two.result(other), other.output)
    while (network.fatal.length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect([one, two].flatMap(({ frames }) => frames.filter(({ type }) => type === 'settled'))).toEqual([])
    await network.stop()
    store.mend()

    const again = await startTestNetwork({ store, blobs })
    await Promise.all([again.startWorker(), again.startWorker()])
    const { archive, dispatcher } = again.orchestrator.services
    while (dispatcher.state().tasks.size > 0) await new Promise((resolve) => setImmediate(resolve))
    const earned = (await archive.standings()).map(({ earnedMicroCredit }) => earnedMicroCredit)
    expect(earned.reduce((sum, each) => sum + each, 0n)).toBe(1000n)
    expect((await archive.task(taskId as TaskId))?.status).toBe('verified')
    await again.stop()
  })

  test('of blobs fails the upload alone', async () => {
    const { store, network } = await open()
    store.fail('diskFull', 'blobs')
    const bytes = randomBytes(10)
    const put = () => network.request(`/v1/blobs/${digestOf(bytes)}`, { method: 'PUT', body: bytes })
    expect(await problemOf(await put())).toMatchObject({ code: 'storageFailed', status: 507 })
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
    const { taskId } = await submit(network)
    const [one, two] = [
      await connectRawWorker(network.serving.url),
      await connectRawWorker(network.serving.url),
    ]
    await Promise.all([one.join(), two.join()])
    const [work, other] = await Promise.all([one.work(), two.work()])
    one.commit(work)
    two.commit(other)
    await Promise.all([one.next('commitmentsClosed'), two.next('commitmentsClosed')])
    store.fail('diskFull', 'blobs')
    one.reveal(work)
    one.send(await one.result(work), work.output)
    const events = await follow(network, taskId, ({ type }) => type === 'corrupted')
    expect(events.at(-1)?.detail).toBe('the output could not be stored')
    expect(one.isClosed()).toBe(false)
    store.mend()
    await Promise.all([one.disconnect(), two.disconnect()])
    await Promise.all([network.startWorker(), network.startWorker()])
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
    // Killed: nothing is told that the worker left.
    store.fail('failed', 'tasks')
    await first.stop()
    const second = await startTestNetwork({ store, blobs })
    while (second.fatal.length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(
      await refused(second.request('/v1/tasks', { json: example().submission, apiKey: first.apiKey })),
    ).toBe('shuttingDown')
    await second.stop()
    store.mend()
    const third = await startTestNetwork({ store, blobs })
    const events = await third.request(`/v1/tasks/${taskId}`, { apiKey: first.apiKey })
    expect(events.status).toBe(200)
    await third.stop()
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
  const { archive, dispatcher, events } = network.orchestrator.services
  const earned = (await archive.standings()).reduce((sum, each) => sum + each.earnedMicroCredit, 0n)
  expect(earned).toBe((199n * 200n) / 2n)
  expect([dispatcher.state().tasks.size, dispatcher.state().deliveries.size, events.size()]).toEqual([
    0, 0, 0,
  ])
  await network.stop()
})
