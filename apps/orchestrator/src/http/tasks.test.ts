import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test'
import type { BalanceView, TaskPage, TaskView } from '@shardy/api'
import type { TaskRecord } from '@shardy/dispatch'
import { encodeFrame, type TaskId } from '@shardy/protocol'
import { digestOf, example, finish, follow, problemOf, refused, submit, taskOf } from '../../test/example.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { connectRawWorker } from '../../test/rawWorker.ts'
import { viewTask, viewTasks } from './taskView.ts'

let network: TestNetwork
let stranger: string

beforeAll(async () => {
  network = await startTestNetwork()
  stranger = await network.orchestrator.services.apiKeys.create('stranger')
})
afterAll(() => network.stop())

const keyed = (key: string) => ({ headers: { 'idempotency-key': key } })

describe('submitting', () => {
  test('a repeat with the same key and body is the same task, answered with 200', async () => {
    const { submission } = example()
    const first = await network.request('/v1/tasks', { json: submission, ...keyed('once') })
    const second = await network.request('/v1/tasks', { json: submission, ...keyed('once') })
    expect([first.status, second.status]).toEqual([201, 200])
    expect(((await second.json()) as TaskView).taskId).toBe(((await first.json()) as TaskView).taskId)
  })

  test('a repeat that spells out the defaults, or names the input by digest, asks for the same', async () => {
    const { submission, input } = example()
    const { taskId } = await submit(network, submission, keyed('spelled'))
    const again = {
      ...submission,
      input: { blob: digestOf(input) },
      verify: 'checked',
      seed: '0',
      timeoutMs: 600_000,
      output: 'keep' as const,
    }
    expect((await submit(network, again, keyed('spelled'))).taskId).toBe(taskId)
  })

  test('the same key with another body is a conflict', async () => {
    const { submission } = example()
    await submit(network, submission, keyed('conflict'))
    const changes = [
      { seed: '1' },
      { verify: 'quorum(3,2)' },
      { priority: 9 },
      { region: 'eu' },
      { rewardMicroCredit: '1' },
      { output: 'digest' },
    ] as const
    for (const change of changes) {
      const answer = network.request('/v1/tasks', {
        json: { ...submission, ...change },
        ...keyed('conflict'),
      })
      expect(await refused(answer)).toBe('idempotencyConflict')
    }
  })

  test('the same key twenty times at once is one task', async () => {
    const { submission } = example()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        network.request('/v1/tasks', { json: submission, ...keyed('at once') }),
      ),
    )
    const tasks = (await Promise.all(answers.map((each) => each.json()))) as TaskView[]
    expect(new Set(tasks.map(({ taskId }) => taskId)).size).toBe(1)
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(19).fill(200), 201])
  })

  test('two bodies under one key at once: one is a task, the other a conflict', async () => {
    const bodies = [example().submission, example().submission]
    const answers = await Promise.all(
      bodies.map((json) => network.request('/v1/tasks', { json, ...keyed('race') })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409])
  })

  test("another requester's same key is another task", async () => {
    const { submission } = example()
    const own = await submit(network, submission, keyed('shared'))
    const other = await submit(network, submission, { ...keyed('shared'), apiKey: stranger })
    expect(other.taskId).not.toBe(own.taskId)
  })

  test('without a key every submission is a task of its own', async () => {
    const { submission } = example()
    const [first, second] = await Promise.all([submit(network, submission), submit(network, submission)])
    expect(first.taskId).not.toBe(second.taskId)
  })

  test('refuses an input that is not here, has the wrong length, or has spare bits in its base64', async () => {
    const { submission } = example()
    const blob = 'ab'.repeat(32)
    expect(await refused(network.request('/v1/tasks', { json: { ...submission, input: { blob } } }))).toBe(
      'inputMissing',
    )
    const short = network.request('/v1/tasks', { json: { ...submission, input: { base64: 'AAAA' } } })
    expect(await problemOf(await short)).toMatchObject({
      field: 'input',
      value: '3 bytes',
      bound: '50 bytes',
    })
    const program = { op: 'matmul', m: 1, k: 1, n: 3 }
    const spare = network.request('/v1/tasks', {
      json: { ...submission, program, input: { base64: 'AAAAAB==' } },
    })
    expect(await problemOf(await spare)).toMatchObject({ code: 'invalidField', field: 'input.base64' })
  })

  test('refuses a reward that no worker could be paid often, and a seed beyond 64 bits', async () => {
    const { submission } = example()
    const rewards = ['1000000000000001', String(2n ** 63n), '99999999999999999999']
    for (const rewardMicroCredit of rewards) {
      const answer = await network.request('/v1/tasks', { json: { ...submission, rewardMicroCredit } })
      expect(await problemOf(answer)).toMatchObject({ code: 'invalidField', field: 'rewardMicroCredit' })
    }
    const seeded = await network.request('/v1/tasks', { json: { ...submission, seed: String(2n ** 64n) } })
    expect(await problemOf(seeded)).toMatchObject({ code: 'invalidField', field: 'seed' })
    expect((await submit(network, { ...submission, seed: String(2n ** 64n - 1n) })).seed).toBe(
      String(2n ** 64n - 1n),
    )
  })

  test('more live tasks than there is room for are refused with 503, and say when to try again', async () => {
    const small = await startTestNetwork({ policy: { liveTasksMax: 2 } })
    const { taskId } = await submit(small)
    await submit(small)
    const answer = await small.request('/v1/tasks', { json: example().submission })
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await refused(answer)).toBe('overloaded')
    await small.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })
    await submit(small)
    await small.stop()
  })
})

describe('no room', () => {
  test('for more live tasks of one requester, while others may submit', async () => {
    const small = await startTestNetwork({ policy: { liveTasksPerRequesterMax: 1 } })
    const other = await small.orchestrator.services.apiKeys.create('other')
    const { taskId } = await submit(small)
    const answer = await small.request('/v1/tasks', { json: example().submission })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '1'])
    expect(await problemOf(answer)).toMatchObject({ code: 'tooManyLive', bound: '1 live tasks' })
    await submit(small, example().submission, { apiKey: other })
    await small.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })
    await submit(small)
    await small.stop()
  })

  test('for more kinds of demands than classes are kept, while known ones are taken', async () => {
    const own = await startTestNetwork()
    // D2: a requester brings no more than so many; every feature makes a class.
    const classesMax = 512
    const terms = (index: number) => ({ features: [`feature-${index}`] })
    await Promise.all(
      Array.from({ length: classesMax }, (_, index) =>
        submit(own, example(terms(index), [1, 1, 1]).submission),
      ),
    )
    const answer = await own.request('/v1/tasks', { json: example(terms(9_999), [1, 1, 1]).submission })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '1'])
    expect((await problemOf(answer)).code).toBe('tooVaried')
    await submit(own, example(terms(7), [1, 1, 1]).submission)
    await own.stop()
  }, 30_000)

  test('while an operator lets work run out', async () => {
    const own = await startTestNetwork()
    await own.orchestrator.services.dispatcher.post({ kind: 'operate', mode: 'draining' })
    const answer = await own.request('/v1/tasks', { json: example().submission })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '60'])
    expect(await refused(answer)).toBe('draining')
    await own.stop()
  })
})

describe('a reward', () => {
  const balanceOf = async (on: TestNetwork): Promise<BalanceView> =>
    (await (await on.request('/v1/balance')).json()) as BalanceView

  test('that is not there with its fee is refused with 402, and nothing is set aside', async () => {
    const poor = await startTestNetwork({ grantMicroCredit: 1_000n })
    const answer = await poor.request('/v1/tasks', {
      json: example({ rewardMicroCredit: '1000' }).submission,
    })
    expect(answer.status).toBe(402)
    expect(await problemOf(answer)).toMatchObject({ code: 'insufficientFunds', field: 'rewardMicroCredit' })
    expect(await balanceOf(poor)).toMatchObject({ balanceMicroCredit: '1000', reservedMicroCredit: '0' })
    await poor.stop()
  })

  test('of the very first tasks, many at once, is found in the grant', async () => {
    const own = await startTestNetwork({ grantMicroCredit: 10_000n })
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        own.request('/v1/tasks', { json: example({ rewardMicroCredit: '900' }).submission }),
      ),
    )
    // 945 each with the fee: ten fit into the grant, and no eleventh, however close together they come.
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([...Array(10).fill(201), ...Array(10).fill(402)])
    const { balanceMicroCredit, reservedMicroCredit } = await balanceOf(own)
    expect([balanceMicroCredit, reservedMicroCredit]).toEqual(['550', '0'])
    await own.stop()
  })

  test('comes back whole from a task that is cancelled', async () => {
    const own = await startTestNetwork({ grantMicroCredit: 10_000n })
    const { taskId } = await submit(own, example({ rewardMicroCredit: '5000' }).submission)
    expect((await balanceOf(own)).balanceMicroCredit).toBe('4750')
    await own.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })
    expect((await balanceOf(own)).balanceMicroCredit).toBe('10000')
    await own.stop()
  })
})

describe("somebody else's task", () => {
  test('is unknown on every route', async () => {
    const { taskId } = await submit(network)
    const routes = [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/cancel'],
      ['GET', '/events'],
      ['GET', '/receipt'],
      ['GET', '/output'],
      ['GET', '/input'],
    ] as const
    for (const [method, path] of routes) {
      const answer = await network.request(`/v1/tasks/${taskId}${path}`, { method, apiKey: stranger })
      expect(answer.status).toBe(404)
      const problem = await problemOf(answer)
      const missing = await network.request(`/v1/tasks/${'0'.repeat(32)}${path}`, { method })
      expect(problem.code).toBe('unknownTask')
      expect((await problemOf(missing)).code).toBe('unknownTask')
    }
    expect((await taskOf(network, taskId)).status).toBe('waiting')
  })
})

describe('listing', () => {
  async function pages(path: string, apiKey: string): Promise<{ tasks: TaskView[]; lengths: number[] }> {
    const tasks: TaskView[] = []
    const lengths: number[] = []
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const query: string = cursor === '' ? path : `${path}&cursor=${cursor}`
      const page = (await (await network.request(query, { apiKey })).json()) as TaskPage
      tasks.push(...page.tasks)
      lengths.push(page.tasks.length)
      cursor = page.nextCursor
    }
    return { tasks, lengths }
  }

  test('goes through own tasks, newest first, without gaps or repeats, whatever the page size', async () => {
    const apiKey = await network.orchestrator.services.apiKeys.create('lister')
    const submitted: string[] = []
    for (let count = 0; count < 12; count++) {
      const { taskId } = await submit(network, example().submission, { apiKey })
      submitted.push(taskId)
      await submit(network, example().submission, { apiKey: stranger })
    }
    for (const limit of [1, 5, 6, 12, 13, 200]) {
      const { tasks, lengths } = await pages(`/v1/tasks?limit=${limit}`, apiKey)
      expect(tasks.map(({ taskId }) => taskId).sort()).toEqual([...submitted].sort())
      const times = tasks.map(({ submittedAtMs }) => submittedAtMs)
      expect(times).toEqual([...times].sort((left, right) => right - left))
      // Whoever has had everything is not sent for another page.
      expect(lengths.at(-1)).toBeGreaterThan(0)
    }
  })

  test('filters by status across pages', async () => {
    const apiKey = await network.orchestrator.services.apiKeys.create('filter')
    const cancelled: string[] = []
    for (let count = 0; count < 9; count++) {
      const { taskId } = await submit(network, example().submission, { apiKey })
      if (count % 3 !== 0) continue
      await network.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST', apiKey })
      cancelled.push(taskId)
    }
    const { tasks } = await pages('/v1/tasks?limit=2&status=cancelled', apiKey)
    expect(tasks.map(({ taskId }) => taskId).sort()).toEqual(cancelled.sort())
    expect((await pages('/v1/tasks?limit=2&status=waiting', apiKey)).tasks).toHaveLength(6)
    expect((await pages('/v1/tasks?limit=2&status=verified', apiKey)).tasks).toHaveLength(0)
  })

  test('explains only the first of many that wait', async () => {
    const key = await network.orchestrator.services.apiKeys.create('waits')
    const { submission } = example()
    for (let count = 0; count < 18; count++)
      await network.request('/v1/tasks', { json: submission, apiKey: key })
    const page = await network.request('/v1/tasks?limit=50', { apiKey: key })
    const { tasks } = (await page.json()) as TaskPage
    expect(tasks.map(({ waitingFor }) => waitingFor !== undefined)).toEqual(
      Array.from({ length: 18 }, (_, index) => index < 16),
    )
  })

  test('leaves out what is forgotten while it looks; asked for by itself that is unknown, and no failure', async () => {
    const { services } = network.orchestrator
    const key = await services.apiKeys.create('forgets')
    const { submission } = example()
    const answer = await network.request('/v1/tasks', { json: submission, apiKey: key })
    const { taskId } = (await answer.json()) as TaskView
    const record = services.dispatcher.state().tasks.get(taskId as TaskId) as TaskRecord
    const gone = { ...record, spec: { ...record.spec, taskId: '0c'.repeat(16) as TaskId } }
    expect(await viewTasks(services, [gone, record])).toMatchObject([{ taskId }])
    await expect(viewTask(services, gone)).rejects.toMatchObject({ problem: { code: 'unknownTask' } })
  })

  test("another requester's cursor gives nothing of theirs", async () => {
    const apiKey = await network.orchestrator.services.apiKeys.create('newcomer')
    const page = await network.request('/v1/tasks?limit=1', { apiKey: stranger })
    const { nextCursor } = (await page.json()) as TaskPage
    expect(nextCursor).toBeDefined()
    expect((await pages(`/v1/tasks?limit=5&cursor=${nextCursor}`, apiKey)).tasks).toEqual([])
  })
})

describe('from submission to receipt', () => {
  test('checked: one worker, with the output of the definition, a receipt, and the whole reward', async () => {
    const own = await startTestNetwork()
    await own.startWorker()
    const wanted = example({ rewardMicroCredit: '1001' })
    const { taskId } = await submit(own, wanted.submission)
    const task = await finish(own, taskId)
    expect(task).toMatchObject({
      status: 'verified',
      verify: 'checked',
      basis: 'checked',
      outputDigest: digestOf(wanted.output),
    })
    expect(task.deliveries.map(({ rewardMicroCredit }) => rewardMicroCredit)).toEqual(['1001'])
    const output = await own.request(`/v1/tasks/${taskId}/output`)
    expect(await output.bytes()).toEqual(wanted.output)
    const receipt = (await (await own.request(`/v1/tasks/${taskId}/receipt`)).json()) as object
    expect(receipt).toMatchObject({ taskId, outputDigest: digestOf(wanted.output), basis: 'checked' })

    const digestOnly = await submit(own, example({ output: 'digest' }).submission)
    expect((await finish(own, digestOnly.taskId)).status).toBe('verified')
    expect(await refused(own.request(`/v1/tasks/${digestOnly.taskId}/output`))).toBe('outputNotKept')
    await own.stop()
  })

  test('by agreement: two workers, exact shares of what cannot be divided', async () => {
    const own = await startTestNetwork()
    await Promise.all([own.startWorker(), own.startWorker()])
    for (const output of ['keep', 'digest'] as const) {
      const wanted = example({ rewardMicroCredit: '1001', redundancy: 2, output })
      const { taskId } = await submit(own, wanted.submission)
      const task = await finish(own, taskId)
      expect(task).toMatchObject({
        status: 'verified',
        verify: 'quorum(2,2)',
        basis: 'agreement',
        outputDigest: digestOf(wanted.output),
      })
      const paid = task.deliveries.map(({ rewardMicroCredit }) => Number(rewardMicroCredit))
      expect(paid.sort()).toEqual([500, 501])
      const receipt = (await (await own.request(`/v1/tasks/${taskId}/receipt`)).json()) as object
      expect(receipt).toMatchObject({ taskId, outputDigest: digestOf(wanted.output), basis: 'agreement' })
    }
    await own.stop()
  })

  test('taken on trust it is accepted, and nothing calls it verified', async () => {
    const own = await startTestNetwork()
    await own.startWorker()
    const seen = new Set<string>()
    // One in two is drawn: of so many, not all fall on one side.
    const tasks = await Promise.all(
      Array.from({ length: 24 }, async () =>
        finish(own, (await submit(own, example({ verify: 'audited(500)' }).submission)).taskId),
      ),
    )
    for (const { taskId, status, basis, rests } of tasks) {
      seen.add(`${status} ${basis}`)
      const events = await follow(own, taskId)
      expect(events.at(-1)?.type).toBe(status === 'accepted' ? 'task_accepted' : 'task_verified')
      if (status === 'accepted') expect(rests).toContain('taken at its word')
      expect((await own.request(`/v1/tasks/${taskId}/output`)).status).toBe(200)
      const receipt = (await (await own.request(`/v1/tasks/${taskId}/receipt`)).json()) as object
      expect(receipt).toMatchObject({ basis })
    }
    expect([...seen].sort()).toEqual(['accepted trusted', 'verified checked'])
    await own.stop()
  }, 30_000)

  test('no output and no receipt before it is verified', async () => {
    const { taskId } = await submit(network)
    expect(await refused(network.request(`/v1/tasks/${taskId}/output`))).toBe('taskNotVerified')
    expect(await refused(network.request(`/v1/tasks/${taskId}/receipt`))).toBe('taskNotVerified')
  })
})

describe('cancelling', () => {
  const cancel = (taskId: string) => network.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })

  test('ends a waiting task; a second time it has ended already', async () => {
    const { taskId } = await submit(network)
    expect(((await (await cancel(taskId)).json()) as TaskView).status).toBe('cancelled')
    expect(await refused(cancel(taskId))).toBe('taskEnded')
    expect((await follow(network, taskId)).map(({ type }) => type)).toEqual(['submitted', 'task_cancelled'])
  })

  test('twice at once it is cancelled once', async () => {
    const { taskId } = await submit(network)
    const answers = await Promise.all([cancel(taskId), cancel(taskId)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
  })

  const stages = ['leased', 'computing', 'committed', 'revealing'] as const
  for (const stage of stages) {
    test(`tells a worker whose delivery is ${stage}, and nothing it says afterwards counts`, async () => {
      const own = await startTestNetwork()
      const worker = await connectRawWorker(own.serving.url)
      const other = await connectRawWorker(own.serving.url)
      await Promise.all([worker.join(), other.join()])
      const { taskId } = await submit(own, example({ verify: 'quorum(2,2)' }).submission)
      const [work, otherWork] = await Promise.all([worker.work(), other.work()])
      if (stage === 'computing') {
        worker.send(encodeFrame('ack', { deliveryId: work.delivery.deliveryId }))
        await follow(own, taskId, ({ type }) => type === 'acked')
      }
      if (stage === 'committed') {
        worker.commit(work)
        await follow(own, taskId, ({ type }) => type === 'committed')
      }
      if (stage === 'revealing') {
        worker.commit(work)
        other.commit(otherWork)
        await worker.closing(work)
      }
      await own.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })
      const { deliveryId } = work.delivery
      expect(await worker.next('cancel')).toEqual({ deliveryId, reason: 'taskCancelled' })
      expect(await worker.settled()).toMatchObject({
        deliveryId,
        outcome: 'superseded',
        rewardMicroCredit: 0n,
      })
      worker.send(await worker.results({ work }))
      worker.send(await worker.result(work), work.output)
      await worker.heard()
      const task = await taskOf(own, taskId)
      expect(task.status).toBe('cancelled')
      expect(task.deliveries.map(({ rewardMicroCredit }) => rewardMicroCredit)).toEqual(['0', '0'])
      await own.stop()
    })
  }
})

describe('forgetting', () => {
  const forget = (taskId: string) => network.request(`/v1/tasks/${taskId}`, { method: 'DELETE' })

  test('only what has ended; then it is unknown, and so is its history', async () => {
    const { taskId } = await submit(network)
    expect(await refused(forget(taskId))).toBe('taskNotEnded')
    await network.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })
    expect((await forget(taskId)).status).toBe(204)
    expect(await refused(forget(taskId))).toBe('unknownTask')
    expect(await refused(network.request(`/v1/tasks/${taskId}/events`))).toBe('unknownTask')
    for (const table of [
      'tasks',
      'liveTasks',
      'taskInputs',
      'taskOutputs',
      'tasksByRequester',
      'references',
    ] as const) {
      for await (const { key } of network.store.iterate(table)) expect(key.toHex()).not.toContain(taskId)
    }
  })

  test('not while an answer is being checked, whoever asks', async () => {
    const { taskId } = await submit(network)
    await network.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })
    const { auditsOf } = network.orchestrator.services.dispatcher.state()
    auditsOf.set(taskId as TaskId, 1)
    const answer = await forget(taskId)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([409, '1'])
    expect((await problemOf(answer)).code).toBe('taskBeingChecked')
    auditsOf.delete(taskId as TaskId)
    expect((await forget(taskId)).status).toBe(204)
  })

  test('not before what was found of it last is on the disk', async () => {
    const { taskId } = await submit(network)
    await network.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })
    const { archive, dispatcher } = network.orchestrator.services
    const asked = Promise.withResolvers<void>()
    const written = Promise.withResolvers<void>()
    const waiting = spyOn(dispatcher, 'caughtUp').mockImplementation(() => {
      asked.resolve()
      return written.promise
    })
    const forgetting = forget(taskId)
    await Promise.race([asked.promise, forgetting])
    expect((await archive.task(taskId as TaskId))?.status).toBe('cancelled')
    waiting.mockRestore()
    written.resolve()
    expect((await forgetting).status).toBe(204)
    expect(await archive.task(taskId as TaskId)).toBeUndefined()
  })

  test('its idempotency key begins a new task afterwards', async () => {
    const { submission } = example()
    const { taskId } = await submit(network, submission, keyed('again'))
    await network.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })
    await forget(taskId)
    const again = await submit(network, submission, keyed('again'))
    expect(again).toMatchObject({ taskId, status: 'waiting' })
  })

  test('while the same key is submitted again, many times over, leaves no half of a task', async () => {
    const { submission } = example()
    const { taskId } = await submit(network, submission, keyed('churn'))
    for (let round = 0; round < 20; round++) {
      await network.request(`/v1/tasks/${taskId}/cancel`, { method: 'POST' })
      const again = Array.from({ length: 3 }, () =>
        network.request('/v1/tasks', { json: submission, ...keyed('churn') }),
      )
      await Promise.all([forget(taskId), ...again, forget(taskId), forget(taskId)])
      await submit(network, submission, keyed('churn'))
      const { archive, bookkeeper, dispatcher } = network.orchestrator.services
      const stored = await archive.live(bookkeeper.stake)
      expect([...stored.tasks].map(({ spec }) => spec.taskId).sort()).toEqual(
        [...dispatcher.state().tasks.keys()].sort(),
      )
    }
  })
})
