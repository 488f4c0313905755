/** What operators do, over HTTP: each act takes its scope, is in the audit log, and is refused by name where it cannot be. */
import { afterEach, beforeEach, describe, expect, spyOn, test } from 'bun:test'
import type { AuditPage, DeadLetter, DeadLetterPage, DispatchView, QuoteView, WorkerView } from '@shardy/api'
import { defaultCostModel, quote } from '@shardy/ledger'
import fc from 'fast-check'
import { example, finish, problemOf, refused, submit, taskOf } from '../../test/example.ts'
import { createManualClock } from '../../test/manualClock.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { joinPosted } from '../../test/postedWorker.ts'
import { readDispatchMode } from '../tasks/dispatchMode.ts'

let clock: ReturnType<typeof createManualClock>
let network: TestNetwork
beforeEach(async () => {
  clock = createManualClock()
  network = await startTestNetwork({ clock, grantMicroCredit: 5_000n })
})
afterEach(() => network.stop())

const get = async <T>(path: string): Promise<T> => (await (await network.request(path)).json()) as T
const order = (path: string, json: object = {}) => network.request(path, { json })
const actions = async (): Promise<readonly string[]> =>
  (await get<AuditPage>('/v1/audit')).records.map(({ action }) => action)
const unknownTask = '0'.repeat(32)

async function deadTask(): Promise<string> {
  const { taskId } = await submit(network, example({ timeoutMs: 1_000 }).submission)
  await clock.advance(1_001)
  await network.orchestrator.services.dispatcher.caughtUp()
  expect((await taskOf(network, taskId)).status).toBe('dead')
  return taskId
}

describe('dead letters', () => {
  test('keep their history, and can be listed page by page', async () => {
    const ids = [await deadTask(), await deadTask(), await deadTask()].sort()
    const first = await get<DeadLetterPage>('/v1/dead-letters?limit=2')
    const rest = await get<DeadLetterPage>(`/v1/dead-letters?limit=2&cursor=${first.nextCursor}`)
    expect([...first.deadLetters, ...rest.deadLetters].map(({ task }) => task.taskId)).toEqual(ids)
    expect(rest.nextCursor).toBeUndefined()
    const letter = await get<DeadLetter>(`/v1/dead-letters/${ids[0]}`)
    expect(letter.history.map(({ type }) => type)).toEqual(['submitted', 'task_dead'])
    expect(letter.task).toMatchObject({ status: 'dead', deadReason: 'deadline' })
  })

  test('are put back to work with new funds and a new deadline, and can then be verified', async () => {
    const { submission, output } = example({ timeoutMs: 1_000 })
    const { taskId } = await submit(network, submission)
    clock.advance(1_001)
    expect((await get<DeadLetter>(`/v1/dead-letters/${taskId}`)).task.status).toBe('dead')
    const before = await get<Record<string, string>>('/v1/balance')
    const letter = (await (
      await order(`/v1/dead-letters/${taskId}/requeue`, { timeoutMs: 5_000 })
    ).json()) as DeadLetter
    expect(letter).toMatchObject({ revivals: 1, task: { status: 'waiting' } })
    expect(letter.task.deadlineMs).toBe(clock.nowMs() + 5_000)
    const after = await get<Record<string, string>>('/v1/balance')
    expect(BigInt(before.balanceMicroCredit ?? 0) - BigInt(after.balanceMicroCredit ?? 0)).toBe(1_050n)
    expect(after.reservedMicroCredit).toBe('0')
    expect(await refused(order(`/v1/dead-letters/${taskId}/requeue`))).toBe('taskNotDead')
    const worker = await joinPosted(network)
    await worker.answer(taskId, output)
    expect(await taskOf(network, taskId)).toMatchObject({ status: 'verified', basis: 'checked' })
    expect(await actions()).toContain('taskRequeued')
  })

  test('cannot be put back by a requester that has no credits left', async () => {
    const taskId = await deadTask()
    for (let count = 0; count < 4; count++) await submit(network)
    expect(await refused(order(`/v1/dead-letters/${taskId}/requeue`))).toBe('insufficientFunds')
    expect((await taskOf(network, taskId)).status).toBe('dead')
  })

  test('are purged for good', async () => {
    const taskId = await deadTask()
    const purge = () => network.request(`/v1/dead-letters/${taskId}`, { method: 'DELETE' })
    expect((await purge()).status).toBe(204)
    expect(await refused(purge())).toBe('unknownTask')
    expect(await get<DeadLetterPage>('/v1/dead-letters')).toEqual({ deadLetters: [] })
    expect(await actions()).toContain('taskPurged')
  })

  test('are told from tasks that live, and from none', async () => {
    const { taskId } = await submit(network)
    expect(await refused(network.request(`/v1/dead-letters/${taskId}`))).toBe('taskNotDead')
    expect(await refused(network.request(`/v1/dead-letters/${taskId}`, { method: 'DELETE' }))).toBe(
      'taskNotDead',
    )
    expect(await refused(order(`/v1/dead-letters/${unknownTask}/requeue`))).toBe('unknownTask')
  })

  test('are requeued with a whole timeout in its range or not at all', async () => {
    const hostile = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(999, 86_400_001, 1.5, '5000', -0, 2 ** 53),
    )
    await fc.assert(
      fc.asyncProperty(hostile, async (timeoutMs) => {
        const answer = await order(`/v1/dead-letters/${unknownTask}/requeue`, { timeoutMs })
        expect(['invalidField', 'unknownTask']).toContain((await problemOf(answer)).code)
      }),
      { numRuns: 100 },
    )
  })
})

describe('dispatch', () => {
  test('is paused and resumed, and waiting tasks say so', async () => {
    const paused = (await (await order('/v1/dispatch/pause')).json()) as DispatchView
    expect(paused.mode).toBe('paused')
    const worker = await joinPosted(network)
    const { taskId } = await submit(network)
    expect((await taskOf(network, taskId)).constraints).toEqual(['dispatchPaused'])
    clock.advance(70)
    const view = await get<DispatchView>('/v1/dispatch')
    expect(view).toMatchObject({ mode: 'paused', liveTasks: 1, workers: { connected: 1, idle: 1 } })
    expect(view.classes).toMatchObject([{ kind: 'program', waiting: 1, oldestWaitingMs: 70 }])
    await order('/v1/dispatch/resume')
    await worker.delivery(taskId)
    expect(await actions()).toEqual(expect.arrayContaining(['dispatchPaused', 'dispatchResumed']))
  })

  test('is kept in the mode that is in force, however many give orders at once', async () => {
    const { dispatcher } = network.orchestrator.services
    await Promise.all(
      ['pause', 'drain', 'resume', 'pause', 'drain'].map((what) => order(`/v1/dispatch/${what}`)),
    )
    expect(await readDispatchMode(network.store)).toBe(dispatcher.state().mode)
  })

  test('is kept as it was, or says that it is not, while the orchestrator stops', async () => {
    const own = await startTestNetwork()
    const { audit, dispatcher } = own.orchestrator.services
    const pause = async () => problemOf(await own.request('/v1/dispatch/pause', { json: {} }))
    const append = audit.append.bind(audit)
    const stopping = spyOn(audit, 'append').mockImplementation(async (...entry) => {
      await dispatcher.close()
      return append(...entry)
    })
    expect(await pause()).toMatchObject({
      code: 'shuttingDown',
      detail: expect.stringContaining('it is kept'),
    })
    expect(await readDispatchMode(own.store)).toBe('paused')
    stopping.mockRestore()
    const drain = await problemOf(await own.request('/v1/dispatch/drain', { json: {} }))
    expect(drain).toMatchObject({ code: 'shuttingDown', detail: 'nothing was changed' })
    expect(await readDispatchMode(own.store)).toBe('paused')
    await own.stop()
  })

  test('that drains takes no new task', async () => {
    await order('/v1/dispatch/drain')
    expect(await refused(network.request('/v1/tasks', { json: example().submission }))).toBe('draining')
    expect(await refused(order('/v1/dispatch/stop'))).toBe('invalidField')
  })
})

describe('a worker', () => {
  test('is shown with what was measured, and why it has nothing to do', async () => {
    const { workerId } = await joinPosted(network, { tier: 3 })
    expect(await get<WorkerView>(`/v1/workers/${workerId}`)).toMatchObject({
      connected: true,
      profile: { tier: 3, slots: 4 },
      idle: { text: 'no task is waiting' },
      reputation: 0.5,
      lockedMicroCredit: '0',
    })
  })

  test('has the reputation by which it is ordered', async () => {
    const own = await startTestNetwork()
    const worker = await own.startWorker()
    const { taskId } = await submit(own, example().submission)
    expect((await finish(own, taskId)).status).toBe('verified')
    const { workerId } = worker.getView()
    const view = (await (await own.request(`/v1/workers/${workerId}`)).json()) as WorkerView
    expect(view.standing).toMatchObject({ accepted: 1 })
    // (1 + 1) / (1 + 2), and a moment's decay.
    expect(view.reputation).toBeCloseTo(2 / 3, 4)
    await own.stop()
  })

  test('is drained and undrained, in the audit log', async () => {
    const { workerId } = await joinPosted(network)
    const drained = (await (await order(`/v1/workers/${workerId}/drain`)).json()) as WorkerView
    expect(drained).toMatchObject({ draining: true, idle: { constraints: ['draining'] } })
    const { taskId } = await submit(network)
    expect((await taskOf(network, taskId)).constraints).toEqual(['draining'])
    const undrained = (await (await order(`/v1/workers/${workerId}/undrain`)).json()) as WorkerView
    expect(undrained.draining).toBe(false)
    expect(await actions()).toEqual(expect.arrayContaining(['workerDrained', 'workerUndrained']))
  })

  test('that nobody knows is named', async () => {
    const stranger = '0'.repeat(64)
    expect(await refused(network.request(`/v1/workers/${stranger}`))).toBe('unknownWorker')
    expect(await refused(order(`/v1/workers/${stranger}/drain`))).toBe('unknownWorker')
    expect(await refused(order(`/v1/workers/${stranger}/ban`))).toBe('invalidField')
  })
})

describe('a quote', () => {
  test('is the arithmetic of the ledger, line by line', async () => {
    const view = await get<QuoteView>(
      '/v1/quote?complexity=32768&inputLength=2048&outputLength=4096&verify=quorum(3,2)',
    )
    const work = { complexity: 32_768, inputLength: 2_048, outputLength: 4_096, constantBytes: 0 }
    const quoted = quote({ ...work, replicas: 3, verify: 'quorum', proof: 'none' }, defaultCostModel, 50)
    if (!quoted.ok) throw new Error('it is in range')
    expect(view.microCredit).toBe(String(quoted.cost.microCredit))
    expect(view.lines.reduce((sum, { microCredit }) => sum + BigInt(microCredit), 0n)).toBe(
      quoted.cost.microCredit,
    )
  })

  test('of hostile numbers is refused by field', async () => {
    const names = [
      'complexity',
      'inputLength',
      'outputLength',
      'constantBytes',
      'replicas',
      'verify',
      'proof',
    ]
    const hostile = fc.oneof(
      fc.string(),
      fc.constantFrom('-1', '1e9', '99999999999999', '65', 'quorum(2,3)', 'v9'),
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), hostile, async (name, value) => {
        const query = new URLSearchParams({ complexity: '1', [name]: value.toWellFormed() })
        const answer = await network.request(`/v1/quote?${query}`)
        if (answer.status !== 200) expect((await problemOf(answer)).field).toStartWith('query.')
      }),
      { numRuns: 200 },
    )
    for (const query of ['', '?complexity=999999999999999&replicas=64&verify=adaptive&proof=v3&x=1']) {
      expect(await refused(network.request(`/v1/quote${query}`))).toBe('invalidField')
    }
  })
})
