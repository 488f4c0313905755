import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { OffencePage, TaskView } from '@shardy/api'
import { generateIdentity } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import { defaultPolicy } from '@shardy/dispatch'
import {
  type BatchResult,
  commitTo,
  type DeliveryId,
  type Digest,
  decodeFrame,
  encodeFrame,
  metaFrameBytesMax,
  payloadBytesMax,
} from '@shardy/protocol'
import { digestOf, example, finish, follow, submit, taskOf } from '../../test/example.ts'
import { createLiar } from '../../test/liar.ts'
import { startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { connectRawWorker, type RawWorker, type Work } from '../../test/rawWorker.ts'
import { createRandom, mutated, randomFrame, workerFrames } from '../../test/wreck.ts'
import { closeCodes } from './closeCode.ts'

const policy = { backoffMsMin: 1 as never, backoffMsMax: 5 as never }
let network: TestNetwork

beforeAll(async () => {
  network = await startTestNetwork({ policy })
})
afterAll(async () => {
  expect(network.fatal).toEqual([])
  await network.stop()
})

const join = async (on = network): Promise<RawWorker> => {
  const worker = await connectRawWorker(on.serving.url)
  await worker.join()
  return worker
}

async function refusal(worker: RawWorker): Promise<string> {
  const { code, reason } = await worker.closed
  const said = worker.frames.at(-1)
  if (said?.type !== 'refusal') throw new Error(`closed with ${code} without a refusal`)
  expect(reason).toBe(said.body.code)
  expect(code).toBe(closeCodes[said.body.code])
  return said.body.code
}

const standingOf = ({ workerId }: { workerId: string }, on = network) =>
  on.orchestrator.services.dispatcher.state().standings.get(workerId as never)

/** Nothing was paid to it, and nothing that it did was an offence. */
function expectUntouched(worker: RawWorker, on = network): void {
  expect(standingOf(worker, on)).toMatchObject({
    acceptedCount: 0,
    disagreedCount: 0,
    wrongCount: 0,
    conduct: { offences: 0, quarantine: undefined, isBanned: false },
  })
  expect(earnedBy(worker, on)).toBe(0n)
}

/** What the book holds for it: nothing is withdrawn in these tests. */
const earnedBy = ({ workerId }: { workerId: string }, on: TestNetwork): bigint =>
  on.orchestrator.services.bookkeeper.book.slashable(workerId as never)

function earnedByAll(on: TestNetwork): bigint {
  const { standings } = on.orchestrator.services.dispatcher.state()
  return [...standings.values()].reduce((sum, each) => sum + earnedBy(each, on), 0n)
}

const both = { verify: 'quorum(2,2)' } as const

/** What was paid for a task, and to whom. */
const paidFor = (task: TaskView) =>
  Object.fromEntries(
    task.deliveries
      .filter(({ rewardMicroCredit }) => rewardMicroCredit !== '0')
      .map(({ workerId, rewardMicroCredit }) => [workerId, rewardMicroCredit]),
  )

describe('admission', () => {
  test('other paths are no place for workers', async () => {
    for (const path of ['/v1/workers', '/v1/worker/', '/', '/v1/health', '/v1/tasks']) {
      const socket = new WebSocket(`${network.serving.url.replace('http', 'ws')}${path}`)
      await new Promise<void>((resolve) => {
        socket.onclose = () => resolve()
      })
      expect(socket.readyState).toBe(WebSocket.CLOSED)
    }
  })

  test('text is no frame', async () => {
    for (const text of ['', 'hello', '{"type":"hello"}']) {
      const early = await connectRawWorker(network.serving.url)
      early.send(text)
      expect(await refusal(early)).toBe('malformedFrame')
      const joined = await join()
      joined.send(text)
      expect(await refusal(joined)).toBe('malformedFrame')
    }
  })

  test('a hello that was heard elsewhere is not taken', async () => {
    const first = await connectRawWorker(network.serving.url)
    const hello = await first.hello()
    first.send(hello)
    await first.next('welcome')
    const second = await connectRawWorker(network.serving.url)
    second.send(hello)
    expect(await refusal(second)).toBe('badSignature')
    first.send(hello)
    expect(await refusal(first)).toBe('unexpectedFrame')
  })

  test('a key that is no point of the curve is refused', async () => {
    const worker = await connectRawWorker(network.serving.url)
    const publicKey = Uint8Array.from({ length: 65 }, (_, index) => (index === 0 ? 4 : 1)) as never
    worker.send(await worker.hello({ publicKey }))
    expect(await refusal(worker)).toBe('badSignature')
  })

  test('a large frame before the handshake is over is refused at once', async () => {
    const worker = await connectRawWorker(network.serving.url)
    worker.send(new Uint8Array(metaFrameBytesMax + 1).fill(2))
    expect(await refusal(worker)).toBe('frameTooLarge')
    const joined = await join()
    joined.send(new Uint8Array(metaFrameBytesMax + 1).fill(9))
    expect(await refusal(joined)).toBe('frameTooLarge')
  })

  test('a frame beyond every payload ends the connection', async () => {
    const worker = await join()
    worker.send(new Uint8Array(payloadBytesMax + 2_000))
    const { code } = await worker.closed
    expect([1006, 1009]).toContain(code)
  })

  test('of two connections with one identity the older one goes', async () => {
    const identity = await generateIdentity({ extractable: false })
    const older = await connectRawWorker(network.serving.url, identity)
    await older.join()
    const newer = await connectRawWorker(network.serving.url, identity)
    await newer.join()
    expect(await refusal(older)).toBe('identityInUse')
    expect(newer.isClosed()).toBe(false)
    expect(network.orchestrator.services.gateway.facts(newer.workerId)).toBeDefined()
    await newer.disconnect()
  })

  test('more connections than there is room for are refused', async () => {
    const small = await startTestNetwork({ gateway: { connectionsMax: 2 } })
    const [first] = [await join(small), await join(small)]
    const third = await connectRawWorker(small.serving.url)
    expect(await refusal(third)).toBe('overloaded')
    await first?.disconnect()
    // The room is free as soon as the server has noticed.
    for (;;) {
      const next = await connectRawWorker(small.serving.url)
      const joined = await next.join().then(
        () => true,
        () => false,
      )
      if (joined) break
      await next.closed
    }
    await small.stop()
  })

  test('more strangers in their handshake than memory allows for are refused, and make room by joining', async () => {
    const small = await startTestNetwork({ gateway: { handshakesMax: 1 } })
    const first = await connectRawWorker(small.serving.url)
    const second = await connectRawWorker(small.serving.url)
    expect(await refusal(second)).toBe('overloaded')
    await first.join()
    const third = await connectRawWorker(small.serving.url)
    await third.join()
    await small.stop()
  })

  test('who comes while it stops is told to come back', async () => {
    const own = await startTestNetwork()
    const [challenged, joined] = [await connectRawWorker(own.serving.url), await join(own)]
    await challenged.next('challenge')
    await own.orchestrator.stop()
    expect([await refusal(challenged), await refusal(joined)]).toEqual(['shuttingDown', 'shuttingDown'])
    const late = await connectRawWorker(own.serving.url)
    expect(await refusal(late)).toBe('shuttingDown')
    await own.stop()
  })
})

/** A result that a raw frame follows. */
const announcement = workerFrames('00'.repeat(16)).find((frame) => {
  const decoded = decodeFrame(frame, 'worker')
  return decoded.ok && decoded.value.type === 'result' && decoded.value.body.outputIncluded
}) as Uint8Array

describe('whatever is sent', () => {
  const stages = {
    async challenged() {
      const worker = await connectRawWorker(network.serving.url)
      await worker.next('challenge')
      return worker
    },
    async welcomed() {
      const worker = await connectRawWorker(network.serving.url)
      worker.send(await worker.hello())
      await worker.next('welcome')
      return worker
    },
    joined: () => join(),
    async announced() {
      const worker = await join()
      worker.send(announcement)
      return worker
    },
  }
  for (const [stage, open] of Object.entries(stages)) {
    test(`a worker that is ${stage} is heard or refused by name, thousands of times`, async () => {
      const random = createRandom(stage.length * 7919)
      const corpus = workerFrames('0d'.repeat(16))
      let refusals = 0
      for (let frames = 0; frames < 2_000; ) {
        const worker = await open()
        while (!worker.isClosed() && frames < 2_000) {
          const frame = corpus[random(corpus.length)] ?? new Uint8Array(0)
          worker.send(random(3) === 0 ? randomFrame(random) : mutated(frame, random))
          if (++frames % 4 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        if (!worker.isClosed()) break
        expect(Object.keys(closeCodes)).toContain(await refusal(worker))
        refusals++
      }
      expect(refusals).toBeGreaterThan(50)
      expect(network.fatal).toEqual([])
      expect((await network.request('/v1/health')).status).toBe(200)
    })
  }

  test('in the middle of real work, tasks are verified by the honest and nobody else is paid', async () => {
    const own = await startTestNetwork({ policy: { ...policy, attemptsMax: 64 } })
    const random = createRandom(4242)
    const wanted: { readonly taskId: string; readonly output: Uint8Array }[] = []
    const hostile: RawWorker[] = []
    for (let round = 0; round < 40; round++) {
      const each = example({ rewardMicroCredit: '1000', ...both })
      const { taskId } = await submit(own, each.submission)
      wanted.push({ taskId, output: each.output })
      const [worker, second] = [await join(own), await join(own)]
      hostile.push(worker, second)
      const [work, other] = await Promise.all([worker.work(), second.work()])
      const stage = random(4)
      if (stage > 0) worker.commit(work)
      if (stage > 1) {
        // Other tasks are about as well, so the second may have been given another one.
        second.commit(other)
        if (other.delivery.taskId === work.delivery.taskId) await worker.closing(work)
      }
      // An honest answer, at a time that is right only where commitments were closed.
      const honest = stage > 2 && random(2) === 0
      const corpus = [
        ...workerFrames(work.delivery.deliveryId),
        await worker.result(work),
        await worker.results({ work }),
      ]
      if (honest) worker.send(mutated(await worker.results({ work }), random))
      for (let count = 0; count < 10; count++) {
        worker.send(mutated(corpus[random(corpus.length)] ?? new Uint8Array(0), random))
      }
      if (random(2) === 0) worker.send(mutated(work.output, random))
      worker.send(randomFrame(random))
      await Promise.all([worker.disconnect(), second.disconnect()])
    }
    const honest = await Promise.all([own.startWorker(), own.startWorker()])
    for (const { taskId, output } of wanted) {
      const task = await finish(own, taskId)
      expect(task).toMatchObject({ status: 'verified', outputDigest: digestOf(output) })
      expect(Object.keys(paidFor(task)).sort()).toEqual(
        honest.map((each) => String(each.getView().workerId)).sort(),
      )
    }
    for (const worker of hostile) expectUntouched(worker, own)
    for (const each of honest) {
      expect(standingOf({ workerId: String(each.getView().workerId) }, own)).toMatchObject({
        acceptedCount: 40,
      })
      expect(earnedBy({ workerId: String(each.getView().workerId) }, own)).toBe(20_000n)
    }
    expect(own.fatal).toEqual([])
    await own.stop()
  })
})

describe('a flood', () => {
  const flooded = async (frame: Uint8Array): Promise<RawWorker> => {
    const worker = await join()
    for (let count = 0; count < 200_000 && !worker.isClosed(); count++) {
      worker.send(frame)
      if (count % 5_000 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    return worker
  }

  for (const [name, frame] of [
    ['words about nothing', encodeFrame('ack', { deliveryId: '00'.repeat(16) as DeliveryId })],
    ['presence', encodeFrame('presence', { state: 'available' })],
  ] as const) {
    test(`of ${name} is refused or kept up with, others are served meanwhile, and memory stays`, async () => {
      const honest = await join()
      Bun.gc(true)
      const before = process.memoryUsage().rss
      const flooding = flooded(frame)
      await submit(network)
      await honest.heard()
      const worker = await flooding
      if (worker.isClosed()) expect(await refusal(worker)).toBe('overloaded')
      await Promise.all([worker.disconnect(), honest.disconnect()])
      Bun.gc(true)
      expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024)
    })
  }
})

/** Honest workers in a network of its own, as many as the policy asks for, beside one that a test plays. */
async function besideHonest<T>(
  act: (own: TestNetwork, worker: RawWorker, work: Work, taskId: string) => Promise<T>,
  more: Parameters<typeof example>[0] = {},
): Promise<{
  readonly task: TaskView
  readonly result: T
  readonly worker: RawWorker
  readonly own: TestNetwork
}> {
  const own = await startTestNetwork({ policy })
  const worker = await join(own)
  const wanted = example({ rewardMicroCredit: '1000', ...more })
  const submitted = await submit(own, wanted.submission)
  const { taskId } = submitted
  const work = await worker.work()
  const result = await act(own, worker, work, taskId)
  const replicas = submitted.verify === 'checked' ? 1 : 2
  const honest = await Promise.all(Array.from({ length: replicas }, () => own.startWorker()))
  const task = await finish(own, taskId)
  expect(task.status).toBe('verified')
  expect(task.outputDigest).toBe(digestOf(wanted.output))
  expect(await (await own.request(`/v1/tasks/${taskId}/output`)).bytes()).toEqual(wanted.output)
  const paid = paidFor(task)
  expect(Object.values(paid)).toEqual(Array(replicas).fill(String(1000 / replicas)))
  expect(earnedByAll(own)).toBe(1000n)
  expect(own.fatal).toEqual([])
  expect(own.orchestrator.services.payloads.answerBytes()).toBe(0)
  const honestIds = honest.map((each) => String(each.getView().workerId)).sort()
  if (worker.isClosed()) expect(Object.keys(paid).sort()).toEqual(honestIds)
  return { task, result, worker, own }
}

describe('an answer that is not right in form', () => {
  const cases: readonly {
    readonly desc: string
    readonly detail: string
    answer(worker: RawWorker, work: Work): Promise<readonly Uint8Array[]>
  }[] = [
    {
      desc: 'raw output too short',
      detail: 'the raw frame has 83 bytes, announced were 84',
      answer: async (worker, work) => [await worker.result(work), work.output.slice(1)],
    },
    {
      desc: 'raw output too long',
      detail: 'the raw frame has 85 bytes, announced were 84',
      answer: async (worker, work) => [await worker.result(work), new Uint8Array([...work.output, 0])],
    },
    {
      desc: 'raw output empty',
      detail: 'the raw frame has 0 bytes, announced were 84',
      answer: async (worker, work) => [await worker.result(work), new Uint8Array(0)],
    },
    {
      desc: 'raw output of another digest',
      detail: 'the output does not match its digest',
      answer: async (worker, work) => [await worker.result(work), work.output.map((byte) => byte ^ 1)],
    },
    {
      desc: 'another length announced',
      detail: 'the output has 85 bytes, the program gives 84',
      answer: async (worker, work) => [await worker.result(work, { outputLength: 85 }), new Uint8Array(85)],
    },
    {
      desc: 'no output although it is to be kept',
      detail: 'the output is missing',
      answer: async (worker, work) => [await worker.result(work, { outputIncluded: false })],
    },
    {
      desc: "an attestation by another's key",
      detail: 'the answer is not signed by the worker',
      async answer(_, work) {
        const stranger = await connectRawWorker(network.serving.url)
        const forged = await stranger.result(work)
        await stranger.disconnect()
        return [forged, work.output]
      },
    },
    {
      desc: 'an attestation over another answer',
      detail: 'the answer is not signed by the worker',
      async answer(worker, work) {
        const other = decodeFrame(
          await worker.result(work, { outputDigest: 'ab'.repeat(32) as never }),
          'worker',
        )
        if (!other.ok || other.value.type !== 'result') throw new Error('not a result')
        const { attestation } = other.value.body
        return [await worker.result(work, { attestation }), work.output]
      },
    },
    {
      desc: 'an attestation whose path fits no batch',
      detail: 'the attestation fits no batch',
      async answer(worker, work) {
        const own = decodeFrame(await worker.result(work), 'worker')
        if (!own.ok || own.value.type !== 'result') throw new Error('not a result')
        const attestation = { ...own.value.body.attestation, index: 1, count: 2 }
        return [await worker.result(work, { attestation }), work.output]
      },
    },
  ]
  for (const { desc, detail, answer } of cases) {
    test(`${desc}: tried again elsewhere, held against nobody`, async () => {
      const { own, worker, task } = await besideHonest(async (own, worker, work, taskId) => {
        for (const frame of await answer(worker, work)) worker.send(frame)
        const events = await follow(own, taskId, ({ type }) => type === 'corrupted')
        expect(events.at(-1)).toMatchObject({ type: 'corrupted', detail, workerId: worker.workerId })
        expect(await worker.settled()).toMatchObject({ outcome: 'corrupted', rewardMicroCredit: 0n })
        await worker.disconnect()
      })
      expectUntouched(worker, own)
      expect(Object.keys(paidFor(task))).not.toContain(worker.workerId)
      await own.stop()
    })
  }
})

describe('an answer out of its order', () => {
  test('without commitment it is corrupted, and nothing of it is kept', async () => {
    for (const form of ['result', 'results'] as const) {
      const { own, worker } = await besideHonest(async (own, worker, work, taskId) => {
        if (form === 'result') worker.send(await worker.result(work), work.output)
        else worker.send(await worker.results({ work }))
        const events = await follow(own, taskId, ({ type }) => type === 'corrupted')
        expect(events.at(-1)?.detail).toBe('answered before commitments were closed')
        expect(own.orchestrator.services.payloads.answerBytes()).toBe(0)
        await worker.disconnect()
      }, both)
      expectUntouched(worker, own)
      await own.stop()
    }
  })

  test('a commitment where none was asked for', async () => {
    const { own, worker } = await besideHonest(async (own, worker, work, taskId) => {
      worker.commit(work)
      const events = await follow(own, taskId, ({ type }) => type === 'corrupted')
      expect(events.at(-1)?.detail).toBe('committed where no commitment was asked for')
      await worker.disconnect()
    })
    expectUntouched(worker, own)
    await own.stop()
  })

  async function revealing(own: TestNetwork, worker: RawWorker, work: Work): Promise<RawWorker> {
    const other = await join(own)
    const otherWork = await other.work()
    worker.commit(work)
    other.commit(otherWork)
    await worker.closing(work)
    return other
  }

  test('answered with another salt, another digest or another trace than committed to, or with no salt', async () => {
    const lie = (work: Work) => work.output.map((byte) => byte ^ 1)
    const changes: readonly ((work: Work) => { output?: Uint8Array; overrides?: Partial<BatchResult> })[] = [
      () => ({ overrides: { salt: 'cd'.repeat(32) } }),
      () => ({ overrides: { salt: undefined } }),
      () => ({ overrides: { traceRoot: 'cd'.repeat(32) as never } }),
      (work) => ({ output: lie(work) }),
    ]
    for (const change of changes) {
      const { own, worker } = await besideHonest(async (own, worker, work, taskId) => {
        const other = await revealing(own, worker, work)
        worker.send(await worker.results({ work, ...change(work) }))
        const events = await follow(own, taskId, ({ type }) => type === 'corrupted')
        expect(events.at(-1)?.detail).toBe('the answer is not the one committed to')
        await Promise.all([worker.disconnect(), other.disconnect()])
      }, both)
      expectUntouched(worker, own)
      await own.stop()
    }
  })

  test("a copy of another worker's commitment can never be opened", async () => {
    const own = await startTestNetwork({ policy })
    const [thief, victim] = [await join(own), await join(own)]
    const { taskId } = await submit(own, example(both).submission)
    const [stolen, work] = await Promise.all([thief.work(), victim.work()])
    const { deliveryId } = work.delivery
    const { workerId } = victim
    const commitment = commitTo(
      { workerId, deliveryId, outputDigest: work.outputDigest, traceRoot: undefined, salt: work.salt },
      sha256,
    )
    thief.send(encodeFrame('commits', { commits: [{ deliveryId: stolen.delivery.deliveryId, commitment }] }))
    victim.commit(work)
    await victim.closing(work)
    victim.send(await victim.results({ work }))
    await thief.closing(stolen)
    // It saw everything that the victim said, and says the same.
    thief.send(await thief.results({ work: { ...stolen, salt: work.salt } }))
    const events = await follow(own, taskId, ({ type }) => type === 'corrupted')
    expect(events.at(-1)).toMatchObject({ workerId: thief.workerId })
    expectUntouched(thief, own)
    await thief.disconnect()
    await own.startWorker()
    const task = await finish(own, taskId)
    expect(Object.keys(paidFor(task))).toContain(victim.workerId)
    await own.stop()
  })

  test("with another worker's delivery it changes nothing", async () => {
    const own = await startTestNetwork({ policy })
    const [one, two] = [await join(own), await join(own)]
    const { taskId } = await submit(own, example({ rewardMicroCredit: '1000', ...both }).submission)
    const [oneWork, twoWork] = await Promise.all([one.work(), two.work()])
    // Everything that can be said about the other's delivery, signed by whoever says it.
    two.commit(oneWork)
    for (const frame of workerFrames(oneWork.delivery.deliveryId).slice(2, 7)) two.send(frame)
    two.send(await two.results({ work: oneWork }))
    two.send(await two.result(oneWork), oneWork.output)
    // And in one batch with an answer of its own, which is still to be committed to.
    two.commit(twoWork)
    await two.heard()
    const task = await taskOf(own, taskId)
    const states = Object.fromEntries(task.deliveries.map(({ workerId, state }) => [workerId, state]))
    expect(states).toEqual({ [one.workerId]: 'leased', [two.workerId]: 'committed' })
    expect(task.deliveries.map(({ permille }) => permille)).toEqual([undefined, undefined])
    one.commit(oneWork)
    await two.closing(twoWork)
    two.send(await two.results({ work: oneWork }, { work: twoWork }))
    await one.closing(oneWork)
    one.send(await one.results({ work: oneWork }))
    expect(Object.values(paidFor(await finish(own, taskId)))).toEqual(['500', '500'])
    await own.stop()
  })

  test("about another worker's delivery, or none, never comes as far as the queue", async () => {
    const own = await startTestNetwork({ policy })
    const [one, two] = [await join(own), await join(own)]
    await submit(own, example({ ...both }).submission)
    const [oneWork] = await Promise.all([one.work(), two.work()])
    await two.heard()
    const { dispatcher } = own.orchestrator.services
    const posted: string[] = []
    const { post } = dispatcher
    dispatcher.post = (happening, room) => {
      if ('workerId' in happening && happening.workerId === two.workerId) posted.push(happening.kind)
      return post(happening, room)
    }
    const { deliveryId } = oneWork.delivery
    const commitment = 'ab'.repeat(32) as Digest
    const strange = '00'.repeat(16) as DeliveryId
    two.send(encodeFrame('ack', { deliveryId }))
    two.send(encodeFrame('reject', { deliveryId, reason: 'busy', message: '' }))
    two.send(
      encodeFrame('commits', {
        commits: [
          { deliveryId, commitment },
          { deliveryId: strange, commitment },
        ],
      }),
    )
    await two.heard()
    expect(posted).toEqual([])
    dispatcher.post = post
    await own.stop()
  })

  test('said twice it counts once, and after the verdict not at all', async () => {
    const own = await startTestNetwork({ policy })
    const [one, two] = [await join(own), await join(own)]
    const { taskId } = await submit(own, example({ rewardMicroCredit: '1000', ...both }).submission)
    const [oneWork, twoWork] = await Promise.all([one.work(), two.work()])
    one.commit(oneWork)
    one.commit(oneWork)
    two.commit(twoWork)
    await one.closing(oneWork)
    for (let count = 0; count < 3; count++) {
      one.send(await one.results({ work: oneWork }, { work: oneWork }))
      one.send(await one.result(oneWork), oneWork.output)
    }
    await two.closing(twoWork)
    two.send(await two.result(twoWork), twoWork.output)
    await Promise.all([one.settled(), two.settled()])
    for (let count = 0; count < 3; count++) {
      one.commit(oneWork)
      one.send(await one.results({ work: oneWork }))
      one.send(await one.result(oneWork), oneWork.output)
      one.send(encodeFrame('reject', { ...oneWork.delivery, reason: 'busy', message: '' }))
    }
    await one.heard()
    const task = await taskOf(own, taskId)
    expect(task.status).toBe('verified')
    expect(paidFor(task)).toEqual({ [one.workerId]: '500', [two.workerId]: '500' })
    for (const worker of [one, two]) {
      expect(standingOf(worker, own)).toMatchObject({ acceptedCount: 1 })
      expect(earnedBy(worker, own)).toBe(500n)
    }
    expect((await follow(own, taskId)).filter(({ type }) => type === 'answered')).toHaveLength(2)
    expect(own.orchestrator.services.payloads.answerBytes()).toBe(0)
    await own.stop()
  })

  test('of two answers that were sent at once the first counts, and the second is never what is checked or kept', async () => {
    const trust = { ...defaultPolicy.trust, banAfterOffences: 100 }
    const own = await startTestNetwork({ policy: { ...policy, trust } })
    const worker = await join(own)
    const lie = (work: Work) => ({ work, output: work.output.map((byte) => byte ^ 1) })
    const truth = (work: Work) => ({ work })
    // Signatures of two frames are verified side by side, so either answer may be the one that counts.
    for (let round = 0; round < 8; round++) {
      const wanted = example()
      const { taskId } = await submit(own, wanted.submission)
      const work = await worker.work()
      const [first, second] = round % 2 === 0 ? [truth, lie] : [lie, truth]
      if (round < 2) worker.send(await worker.results(first(work), second(work)))
      else worker.send(await worker.results(first(work)), await worker.results(second(work)))
      const events = await follow(own, taskId, ({ type }) => type === 'wrong' || type === 'task_verified')
      if (round < 2) expect(events.at(-1)?.type).toBe(round === 0 ? 'task_verified' : 'wrong')
      if (events.at(-1)?.type === 'task_verified') {
        expect((await taskOf(own, taskId)).outputDigest).toBe(digestOf(wanted.output))
        expect(await (await own.request(`/v1/tasks/${taskId}/output`)).bytes()).toEqual(wanted.output)
      } else {
        expect((await taskOf(own, taskId)).status).toBe('waiting')
        const { profile } = own.orchestrator.services.dispatcher.state().workers.get(worker.workerId) ?? {}
        if (profile === undefined) throw new Error('the worker is gone')
        // It passes a benchmark, and goes on.
        const { workerId } = worker
        await own.orchestrator.services.dispatcher.post({
          kind: 'benchmarked',
          workerId,
          profile,
          askedAtMs: Date.now() as never,
        })
      }
    }
    expect(own.orchestrator.services.payloads.answerBytes()).toBe(0)
    await own.stop()
  })
})

describe('a worker that vanishes', () => {
  const stages: readonly {
    readonly desc: string
    readonly more?: Parameters<typeof example>[0]
    act(own: TestNetwork, worker: RawWorker, work: Work): Promise<unknown>
  }[] = [
    { desc: 'as soon as it has the work', act: async () => {} },
    {
      desc: 'after it acknowledged',
      act: async (_, worker, { delivery }) =>
        worker.send(encodeFrame('ack', { deliveryId: delivery.deliveryId })),
    },
    { desc: 'after it committed', act: async (_, worker, work) => worker.commit(work), more: both },
    {
      desc: 'when it is asked to reveal',
      more: both,
      async act(own, worker, work) {
        const other = await join(own)
        worker.commit(work)
        other.commit(await other.work())
        await worker.closing(work)
        await other.disconnect()
      },
    },
    {
      desc: 'between result and output',
      more: both,
      async act(own, worker, work) {
        const other = await join(own)
        worker.commit(work)
        other.commit(await other.work())
        await worker.closing(work)
        worker.send(await worker.result(work))
        await other.disconnect()
      },
    },
  ]
  for (const { desc, act, more } of stages) {
    test(`${desc} is not missed`, async () => {
      const { own, worker, task } = await besideHonest(async (own, worker, work, taskId) => {
        await act(own, worker, work)
        await worker.disconnect()
        await follow(own, taskId, ({ type, workerId }) => type === 'lost' && workerId === worker.workerId)
      }, more)
      expectUntouched(worker, own)
      expect(task.deliveries.find(({ workerId }) => workerId === worker.workerId)?.outcome).toBe('lost')
      await own.stop()
    })
  }

  test('after it answered is paid all the same when others agree', async () => {
    const own = await startTestNetwork({ policy })
    const [gone, stays] = [await join(own), await join(own)]
    const { taskId } = await submit(own, example({ rewardMicroCredit: '1000', ...both }).submission)
    const [work, other] = await Promise.all([gone.work(), stays.work()])
    gone.commit(work)
    stays.commit(other)
    await Promise.all([gone.closing(work), stays.closing(other)])
    gone.send(await gone.results({ work }))
    await follow(own, taskId, ({ type }) => type === 'answered')
    await gone.disconnect()
    stays.send(await stays.results({ work: other }))
    const task = await finish(own, taskId)
    expect(Object.keys(paidFor(task)).sort()).toEqual([gone.workerId, stays.workerId].sort())
    await own.stop()
  })
})

describe('a liar', () => {
  /** It has no stake, so what a second offence costs is what it earned: nothing here. */
  test('that works alone is refuted, not paid and put in quarantine; somebody else does the task', async () => {
    const own = await startTestNetwork({ policy })
    const liar = await own.startWorker(createLiar())
    const workerId = String(liar.getView().workerId)
    const wanted = example({ rewardMicroCredit: '1000' })
    const { taskId } = await submit(own, wanted.submission)
    const events = await follow(own, taskId, ({ type }) => type === 'quarantined')
    expect(events.map(({ type }) => type).slice(-2)).toEqual(['wrong', 'quarantined'])
    // It gets nothing more: where workers are not measured there is no way back.
    const waiting = await submit(own)
    expect((await taskOf(own, waiting.taskId)).deliveries).toEqual([])
    await own.startWorker()
    const task = await finish(own, taskId)
    expect(task).toMatchObject({
      status: 'verified',
      basis: 'checked',
      outputDigest: digestOf(wanted.output),
    })
    expect(task.deliveries.map(({ outcome }) => outcome)).toEqual(['wrong', 'accepted'])
    expect(Object.values(paidFor(task))).toEqual(['1000'])
    expect(standingOf({ workerId }, own)).toMatchObject({
      acceptedCount: 0,
      wrongCount: 1,
      conduct: { offences: 1, quarantine: { passedBenchmark: false } },
    })
    expect(earnedBy({ workerId }, own)).toBe(0n)
    const { offences } = (await (await own.request('/v1/offences')).json()) as OffencePage
    expect(offences).toMatchObject([
      { taskId, workerId, consequence: 'unpaidAndQuarantine', amountMicroCredit: '0' },
    ])
    await own.stop()
  })

  test('a second time is slashed, and what it earned meanwhile is destroyed', async () => {
    const own = await startTestNetwork({ policy })
    const { dispatcher, bookkeeper } = own.orchestrator.services
    const worker = await join(own)
    const lie = async (taskId: string): Promise<void> => {
      const work = await worker.work()
      worker.send(await worker.results({ work, output: work.output.map((byte) => byte ^ 1) }))
      await follow(own, taskId, ({ type }) => type === 'wrong')
    }
    await lie((await submit(own)).taskId)
    expect(await worker.settled()).toMatchObject({ outcome: 'wrong', rewardMicroCredit: 0n })
    // As after a benchmark that it passed: it works again, and every answer is looked at.
    const { profile } = dispatcher.state().workers.get(worker.workerId) ?? {}
    if (profile === undefined) throw new Error('the worker is gone')
    await dispatcher.post({
      kind: 'benchmarked',
      workerId: worker.workerId,
      profile,
      askedAtMs: Date.now() as never,
    })
    const honest = await submit(own, example({ rewardMicroCredit: '1000000' }).submission)
    await worker.answer(await worker.work())
    await finish(own, honest.taskId)
    expect(earnedBy(worker, own)).toBe(1_000_000n)
    const { taskId } = await submit(own)
    await lie(taskId)
    await follow(own, taskId, ({ type }) => type === 'slashed')
    const slashed = bookkeeper.book.balance({ kind: 'slashed' })
    expect(slashed).toBe(100_000n)
    expect(earnedBy(worker, own)).toBe(1_000_000n - slashed)
    expect(bookkeeper.book.total()).toBe(0n)
    const { offences } = (await (await own.request('/v1/offences')).json()) as OffencePage
    expect(offences.map(({ consequence }) => consequence).sort()).toEqual(['slash', 'unpaidAndQuarantine'])
    await own.stop()
  })

  test('in a quorum is found by computing again, whoever else agrees with it', async () => {
    const own = await startTestNetwork({ policy })
    const liars = await Promise.all([own.startWorker(createLiar()), own.startWorker(createLiar())])
    await own.startWorker()
    const wanted = example({ rewardMicroCredit: '1000', verify: 'quorum(3,2)' })
    const { taskId } = await submit(own, wanted.submission)
    const task = await finish(own, taskId)
    // Two answers that were equal before the third came are agreement: nobody looks further (D23).
    const events = await follow(own, taskId)
    const isMismatch = events.some(({ type }) => type === 'consensus_mismatch')
    if (isMismatch) {
      expect(task).toMatchObject({
        status: 'verified',
        basis: 'checked',
        outputDigest: digestOf(wanted.output),
      })
      expect(Object.keys(paidFor(task))).not.toContain(String(liars[0]?.getView().workerId))
    } else expect(task).toMatchObject({ status: 'verified', basis: 'agreement' })
    await own.stop()
  })
})

test('an input that cannot be read fails its delivery, not the connection', async () => {
  const own = await startTestNetwork({ policy: { ...policy, attemptsMax: 1 } })
  // A large one is a blob of its own, read when it is handed out.
  const wanted = example({}, [1, 1_000, 17])
  const { taskId } = await submit(own, wanted.submission)
  await own.blobs.delete(digestOf(wanted.input))
  const worker = await join(own)
  const events = await follow(own, taskId)
  expect(events.filter(({ detail }) => detail === 'the input could not be read').length).toBeGreaterThan(0)
  expect(events.at(-1)).toMatchObject({ type: 'task_dead', detail: 'attemptsExhausted' })
  expect(worker.isClosed()).toBe(false)
  expectUntouched(worker, own)
  await own.stop()
})

test('progress is shown while a delivery is computed, and not kept afterwards', async () => {
  const own = await startTestNetwork({ policy: { ...policy, backoffMsMin: 60_000 as never } })
  const worker = await join(own)
  const { taskId } = await submit(own)
  const { deliveryId } = (await worker.work()).delivery
  const progress = encodeFrame('progress', { deliveryId, permille: 250 })
  const heard = async (): Promise<TaskView> => {
    await worker.heard()
    return taskOf(own, taskId)
  }
  worker.send(progress)
  expect((await heard()).deliveries[0]?.permille).toBe(250)
  worker.send(encodeFrame('reject', { deliveryId, reason: 'busy', message: '' }))
  await worker.settled()
  worker.send(progress)
  expect((await heard()).deliveries[0]?.permille).toBeUndefined()
  await own.stop()
})

test('inputs larger than a line takes at once reach a worker with many slots', async () => {
  const own = await startTestNetwork({ policy })
  const worker = await connectRawWorker(own.serving.url)
  await worker.join({ slots: 16 })
  for (let count = 0; count < 16; count++) await submit(own, example({}, [1, 1_000, 900]).submission)
  for (let count = 0; count < 16; count++) {
    const { delivery, input } = await worker.work()
    expect(digestOf(input)).toBe(delivery.payloadDigest)
  }
  await own.stop()
}, 30_000)
