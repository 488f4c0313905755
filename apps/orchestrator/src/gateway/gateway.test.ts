import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { TaskView } from '@shardy/api'
import { generateIdentity } from '@shardy/crypto'
import { sha256 } from '@shardy/crypto/native'
import {
  commitTo,
  type DeliveryId,
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

function expectUntouched(worker: RawWorker, on = network): void {
  expect(standingOf(worker, on)).toMatchObject({ acceptedCount: 0, disagreedCount: 0, earnedMicroCredit: 0n })
}

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
      const [frame] = workerFrames('00'.repeat(16)).slice(8)
      if (frame !== undefined) worker.send(frame)
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
      const each = example({ rewardMicroCredit: '1000' })
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
        if (other.delivery.taskId === work.delivery.taskId) await worker.next('commitmentsClosed')
      }
      if (stage > 2) worker.reveal(work)
      const corpus = [...workerFrames(work.delivery.deliveryId), await worker.result(work)]
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
        earnedMicroCredit: 20_000n,
      })
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
      honest.send(encodeFrame('heartbeat', { sequence: 2, inFlight: 0 }))
      expect(await honest.next('heartbeat')).toEqual({ sequence: 2, inFlight: 0 })
      const worker = await flooding
      if (worker.isClosed()) expect(await refusal(worker)).toBe('overloaded')
      await Promise.all([worker.disconnect(), honest.disconnect()])
      Bun.gc(true)
      expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024)
    })
  }
})

/** Two honest workers in a network of its own, beside one that a test plays. */
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
  const { taskId } = await submit(own, wanted.submission)
  const work = await worker.work()
  const result = await act(own, worker, work, taskId)
  const honest = await Promise.all([own.startWorker(), own.startWorker()])
  const task = await finish(own, taskId)
  expect(task.status).toBe('verified')
  expect(task.outputDigest).toBe(digestOf(wanted.output))
  const paid = paidFor(task)
  expect(Object.values(paid)).toEqual(['500', '500'])
  const { archive } = own.orchestrator.services
  const earned = (await archive.standings()).reduce((sum, each) => sum + each.earnedMicroCredit, 0n)
  expect(earned).toBe(1000n)
  expect(own.fatal).toEqual([])
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
        expect(await worker.next('settled')).toMatchObject({ outcome: 'corrupted', rewardMicroCredit: 0n })
        await worker.disconnect()
      })
      expectUntouched(worker, own)
      expect(Object.keys(paidFor(task))).not.toContain(worker.workerId)
      await own.stop()
    })
  }
})

describe('an answer out of its order', () => {
  test('without commitment it is corrupted, and its output is not even stored', async () => {
    const { own, worker } = await besideHonest(async (own, worker, work, taskId) => {
      worker.send(await worker.result(work), work.output)
      const events = await follow(own, taskId, ({ type }) => type === 'corrupted')
      expect(events.at(-1)?.detail).toBe('answered before committing and revealing')
      expect(await own.blobs.has(work.outputDigest)).toBe(false)
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
    await worker.next('commitmentsClosed')
    return other
  }

  test('revealed with another salt, or another digest, than committed to', async () => {
    const changes = [{ salt: 'cd'.repeat(32) }, { outputDigest: 'cd'.repeat(32) as never }]
    for (const change of changes) {
      const { own, worker } = await besideHonest(async (own, worker, work, taskId) => {
        const other = await revealing(own, worker, work)
        worker.reveal({ ...work, ...change })
        const events = await follow(own, taskId, ({ type }) => type === 'corrupted')
        expect(events.at(-1)?.detail).toBe('the revealed digest is not the one committed to')
        await Promise.all([worker.disconnect(), other.disconnect()])
      })
      expectUntouched(worker, own)
      await own.stop()
    }
  })

  test('answered otherwise than revealed', async () => {
    const { own, worker } = await besideHonest(async (own, worker, work, taskId) => {
      const other = await revealing(own, worker, work)
      worker.reveal(work)
      const lie = work.output.map((byte) => byte ^ 1)
      worker.send(await worker.result(work, { outputDigest: digestOf(lie) }), lie)
      const events = await follow(own, taskId, ({ type }) => type === 'corrupted')
      expect(events.at(-1)?.detail).toBe('the answer is not the one revealed')
      expect(await own.blobs.has(digestOf(lie))).toBe(false)
      await Promise.all([worker.disconnect(), other.disconnect()])
    })
    expectUntouched(worker, own)
    await own.stop()
  })

  test("a copy of another worker's commitment can never be revealed", async () => {
    const own = await startTestNetwork({ policy })
    const [thief, victim] = [await join(own), await join(own)]
    const { taskId } = await submit(own)
    const [stolen, work] = await Promise.all([thief.work(), victim.work()])
    const { deliveryId } = work.delivery
    const { workerId } = victim
    const commitment = commitTo(
      { workerId, deliveryId, outputDigest: work.outputDigest, traceRoot: undefined, salt: work.salt },
      sha256,
    )
    thief.send(encodeFrame('commit', { deliveryId: stolen.delivery.deliveryId, commitment }))
    victim.commit(work)
    await victim.next('commitmentsClosed')
    victim.reveal(work)
    victim.send(await victim.result(work), work.output)
    await thief.next('commitmentsClosed')
    // It saw everything that the victim said, and says the same.
    thief.reveal({ ...stolen, salt: work.salt, outputDigest: work.outputDigest })
    thief.send(await thief.result(stolen), stolen.output)
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
    const { taskId } = await submit(own)
    const [oneWork, twoWork] = await Promise.all([one.work(), two.work()])
    // Everything that can be said about the other's delivery.
    two.commit(oneWork)
    two.reveal(oneWork)
    for (const frame of workerFrames(oneWork.delivery.deliveryId).slice(2, 9)) two.send(frame)
    two.send(new Uint8Array(4))
    two.send(await two.result(oneWork), oneWork.output)
    two.send(encodeFrame('heartbeat', { sequence: 9, inFlight: 0 }))
    await two.next('heartbeat')
    const task = await taskOf(own, taskId)
    expect(task.deliveries.map(({ state }) => state)).toEqual(['leased', 'leased'])
    expect(task.deliveries.map(({ permille }) => permille)).toEqual([undefined, undefined])
    await Promise.all([one.answer(oneWork), two.answer(twoWork)])
    expect(Object.values(paidFor(await finish(own, taskId)))).toEqual(['500', '500'])
    await own.stop()
  })

  test('said twice it counts once, and after the verdict not at all', async () => {
    const own = await startTestNetwork({ policy })
    const [one, two] = [await join(own), await join(own)]
    const { taskId } = await submit(own, example({ rewardMicroCredit: '1000' }).submission)
    const [oneWork, twoWork] = await Promise.all([one.work(), two.work()])
    one.commit(oneWork)
    one.commit(oneWork)
    two.commit(twoWork)
    await one.next('commitmentsClosed')
    for (let count = 0; count < 3; count++) {
      one.reveal(oneWork)
      one.send(await one.result(oneWork), oneWork.output)
    }
    await two.next('commitmentsClosed')
    two.reveal(twoWork)
    two.send(await two.result(twoWork), twoWork.output)
    await Promise.all([one.next('settled'), two.next('settled')])
    for (let count = 0; count < 3; count++) {
      one.commit(oneWork)
      one.reveal(oneWork)
      one.send(await one.result(oneWork), oneWork.output)
      one.send(encodeFrame('reject', { ...oneWork.delivery, reason: 'busy', message: '' }))
    }
    one.send(encodeFrame('heartbeat', { sequence: 9, inFlight: 0 }))
    await one.next('heartbeat')
    const task = await taskOf(own, taskId)
    expect(task.status).toBe('verified')
    expect(paidFor(task)).toEqual({ [one.workerId]: expect.any(String), [two.workerId]: expect.any(String) })
    for (const worker of [one, two]) {
      expect(standingOf(worker, own)).toMatchObject({ acceptedCount: 1, earnedMicroCredit: 500n })
    }
    expect((await follow(own, taskId)).filter(({ type }) => type === 'answered')).toHaveLength(2)
    await own.stop()
  })
})

describe('a worker that vanishes', () => {
  const stages: readonly {
    readonly desc: string
    act(own: TestNetwork, worker: RawWorker, work: Work): Promise<unknown>
  }[] = [
    { desc: 'as soon as it has the work', act: async () => {} },
    {
      desc: 'after it acknowledged',
      act: async (_, worker, { delivery }) =>
        worker.send(encodeFrame('ack', { deliveryId: delivery.deliveryId })),
    },
    { desc: 'after it committed', act: async (_, worker, work) => worker.commit(work) },
    {
      desc: 'when it is asked to reveal',
      async act(own, worker, work) {
        const other = await join(own)
        worker.commit(work)
        other.commit(await other.work())
        await worker.next('commitmentsClosed')
        await other.disconnect()
      },
    },
    {
      desc: 'between result and output',
      async act(own, worker, work) {
        const other = await join(own)
        worker.commit(work)
        other.commit(await other.work())
        await worker.next('commitmentsClosed')
        worker.reveal(work)
        worker.send(await worker.result(work))
        await other.disconnect()
      },
    },
  ]
  for (const { desc, act } of stages) {
    test(`${desc} is not missed`, async () => {
      const { own, worker, task } = await besideHonest(async (own, worker, work, taskId) => {
        await act(own, worker, work)
        await worker.disconnect()
        await follow(own, taskId, ({ type, workerId }) => type === 'lost' && workerId === worker.workerId)
      })
      expectUntouched(worker, own)
      expect(task.deliveries.find(({ workerId }) => workerId === worker.workerId)?.outcome).toBe('lost')
      await own.stop()
    })
  }

  test('after it answered is paid all the same when others agree', async () => {
    const own = await startTestNetwork({ policy })
    const [gone, stays] = [await join(own), await join(own)]
    const { taskId } = await submit(own, example({ rewardMicroCredit: '1000' }).submission)
    const [work, other] = await Promise.all([gone.work(), stays.work()])
    gone.commit(work)
    stays.commit(other)
    await Promise.all([gone.next('commitmentsClosed'), stays.next('commitmentsClosed')])
    gone.reveal(work)
    gone.send(await gone.result(work), work.output)
    await follow(own, taskId, ({ type }) => type === 'answered')
    await gone.disconnect()
    stays.reveal(other)
    stays.send(await stays.result(other), other.output)
    const task = await finish(own, taskId)
    expect(Object.keys(paidFor(task)).sort()).toEqual([gone.workerId, stays.workerId].sort())
    await own.stop()
  })
})

test('a liar is named as disagreeing and not paid', async () => {
  const own = await startTestNetwork({ policy })
  const liar = await own.startWorker(createLiar())
  await own.startWorker()
  const wanted = example({ rewardMicroCredit: '1000' })
  const { taskId } = await submit(own, wanted.submission)
  await follow(own, taskId, ({ type }) => type === 'consensus_mismatch')
  await own.startWorker()
  const task = await finish(own, taskId)
  expect(task).toMatchObject({ status: 'verified', outputDigest: digestOf(wanted.output) })
  const { workerId } = liar.getView()
  expect(task.deliveries.find((each) => each.workerId === workerId)).toMatchObject({
    outcome: 'disagreed',
    rewardMicroCredit: '0',
  })
  expect(Object.values(paidFor(task))).toEqual(['500', '500'])
  expect(standingOf({ workerId: workerId ?? '' }, own)).toMatchObject({
    acceptedCount: 0,
    disagreedCount: 1,
    earnedMicroCredit: 0n,
  })
  await own.stop()
})

test('an input that cannot be read fails its delivery, not the connection', async () => {
  const own = await startTestNetwork({ policy: { ...policy, attemptsMax: 3 } })
  const wanted = example()
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
  const heard = async (sequence: number): Promise<TaskView> => {
    worker.send(encodeFrame('heartbeat', { sequence, inFlight: 0 }))
    await worker.next('heartbeat')
    return taskOf(own, taskId)
  }
  worker.send(progress)
  expect((await heard(2)).deliveries[0]?.permille).toBe(250)
  worker.send(encodeFrame('reject', { deliveryId, reason: 'busy', message: '' }))
  await worker.next('settled')
  worker.send(progress)
  expect((await heard(3)).deliveries[0]?.permille).toBeUndefined()
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
})
