import { afterEach, expect, spyOn, test } from 'bun:test'
import type { TaskView } from '@shardy/api'
import type { Task } from '@shardy/dispatch'
import type { Digest, TaskId } from '@shardy/protocol'
import { refused, submit } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { connectRawWorker } from '../../test/rawWorker.ts'
import { streamTaskEvents } from './taskEvents.ts'

let network: TestNetwork | undefined
/** The commit behind is durable. */
let release = (): void => {}
afterEach(async () => {
  release()
  await network?.stop()
  network = undefined
})

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A task that is out, and whose answer is refuted in the commit behind the one that whoever asks for it waits for. */
async function overtaken(): Promise<{ readonly network: TestNetwork; readonly task: Task }> {
  network = await startTestNetwork()
  const { dispatcher } = network.orchestrator.services
  const { taskId } = await submit(network)
  const worker = await connectRawWorker(network.serving.url)
  await worker.join()
  await worker.work()
  const task = dispatcher.state().tasks.get(taskId as TaskId)
  if (task === undefined) throw new Error('the task is not there')
  const caughtUp = dispatcher.caughtUp.bind(dispatcher)
  const durable = new Promise<void>((resolve) => {
    release = resolve
  })
  spyOn(dispatcher, 'caughtUp').mockImplementation(async () => {
    await caughtUp()
    const [delivery] = task.deliveries
    const [first] = task.history
    if (delivery === undefined || first === undefined || delivery.outcome !== undefined) return durable
    delivery.state = 'settled'
    delivery.outcome = 'wrong'
    task.history.push({ ...first, type: 'wrong', attempt: 1 })
    task.outputDigest = 'ab'.repeat(32) as Digest
  })
  return { network, task }
}

test('a task is seen as it was when it was asked for, not as what is decided meanwhile would make it', async () => {
  const { network, task } = await overtaken()
  const answer = await network.request(`/v1/tasks/${task.spec.taskId}`)
  const view = (await answer.json()) as TaskView
  expect(task.deliveries[0]?.outcome).toBe('wrong')
  expect(view.deliveries.map(({ outcome }) => outcome)).toEqual([undefined])
  expect(view.outputDigest).toBeUndefined()
})

test('there is no receipt for a verdict that falls while an earlier commit is waited for', async () => {
  const { network, task } = await overtaken()
  expect(await refused(network.request(`/v1/tasks/${task.spec.taskId}/receipt`))).toBe('taskNotVerified')
})

test('events that are decided while their reader waits are told when they are durable', async () => {
  const { network, task } = await overtaken()
  const viewer = { kind: 'everything', requesterId: task.spec.requesterId, isAllowed: () => true } as const
  const { body } = streamTaskEvents(network.orchestrator.services, task.spec.taskId, 0, viewer)
  if (body === null) throw new Error('no stream')
  const told: string[] = []
  const reading = (async () => {
    for await (const bytes of body)
      told.push(...(new TextDecoder().decode(bytes).match(/(?<=event: ).*/g) ?? []))
  })()
  while (task.history.at(-1)?.type !== 'wrong' || told.length < 2) await turn()
  for (let turns = 0; turns < 10; turns++) await turn()
  expect(told).toEqual(['submitted', 'delivered'])
  release()
  while (told.length < 3) await turn()
  expect(told).toEqual(['submitted', 'delivered', 'wrong'])
  await body.cancel().catch(() => {})
  void reading
})

test('what a worker has come to is told once that is durable', async () => {
  network = await startTestNetwork()
  const worker = await connectRawWorker(network.serving.url)
  await worker.join()
  const { dispatcher } = network.orchestrator.services
  for (const path of ['/v1/workers', `/v1/workers/${worker.workerId}`]) {
    const asked = Promise.withResolvers<'waits'>()
    const durable = Promise.withResolvers<void>()
    const waiting = spyOn(dispatcher, 'caughtUp').mockImplementation(() => {
      asked.resolve('waits')
      return durable.promise
    })
    const answer = network.request(path)
    expect(await Promise.race([asked.promise, answer])).toBe('waits')
    durable.resolve()
    waiting.mockRestore()
    expect((await answer).status).toBe(200)
  }
})
