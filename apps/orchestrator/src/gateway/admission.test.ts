import { afterAll, describe, expect, test } from 'bun:test'
import { type AdmissionPolicy, defaultAdmissionPolicy } from '@shardy/admission'
import { generateIdentity } from '@shardy/crypto'
import { encodeFrame } from '@shardy/protocol'
import { answerBenchmarks, commit } from '../../test/benchmarked.ts'
import { openMemoryStore, startTestNetwork, type TestNetwork } from '../../test/network.ts'
import { connectRawWorker, type RawWorker, rawProfile } from '../../test/rawWorker.ts'

/** Chains of some milliseconds. */
const small: AdmissionPolicy = {
  ...defaultAdmissionPolicy,
  cpuFirstOperations: 2 ** 20,
  liteFirstOperations: 2 ** 14,
  targetMs: 5,
  enoughMs: 1,
  chainsMax: 2,
  pauseMs: 0,
  meanIntervalMs: 86_400_000,
  tiers: [
    { operationsPerSecondMin: 1_000, memoryBytesMin: 0 },
    ...defaultAdmissionPolicy.tiers.slice(1),
  ] as never,
}
const [, second, third] = small.tiers
const networks: TestNetwork[] = []

async function open(policy: Partial<AdmissionPolicy> = {}): Promise<TestNetwork> {
  const network = await startTestNetwork({ admission: { ...small, ...policy } })
  networks.push(network)
  return network
}

afterAll(async () => {
  for (const network of networks) await network.stop()
})

const network = await open()

async function arrive(to = network, ...said: Parameters<RawWorker['arrive']>): Promise<RawWorker> {
  const worker = await connectRawWorker(to.serving.url)
  await worker.arrive(...said)
  return worker
}

const profileOf = ({ workerId }: RawWorker, of = network) =>
  of.orchestrator.services.dispatcher.state().workers.get(workerId)?.profile
const factsOf = ({ workerId }: RawWorker, of = network) => of.orchestrator.services.gateway.facts(workerId)

/** Behind everything that was said so far. */
async function echo(worker: RawWorker): Promise<void> {
  worker.send(encodeFrame('heartbeat', { sequence: 9, inFlight: 0 }))
  await worker.next('heartbeat')
}

async function admit(to = network, ...said: Parameters<RawWorker['arrive']>): Promise<RawWorker> {
  const worker = await arrive(to, ...said)
  expect((await answerBenchmarks(worker)).type).toBe('admitted')
  await to.orchestrator.services.dispatcher.caughtUp()
  return worker
}

async function refusal(worker: RawWorker) {
  const { code, message } = await worker.next('refusal')
  expect((await worker.closed).reason).toBe(code)
  return { code, message }
}

describe('an honest worker', () => {
  test('joins with what was measured, whatever it says of itself', async () => {
    const worker = await arrive(network, { operationsPerSecond: 10 ** 15, memoryBytes: 2 ** 40 })
    await echo(worker)
    expect(profileOf(worker)).toBeUndefined()
    const told = await answerBenchmarks(worker, { stableBytes: 12_345 })
    if (told.type !== 'admitted') throw new Error(told.body.message)
    const { tier, operationsPerSecond, message } = told.body
    expect(tier).toBe(1)
    expect(operationsPerSecond).toBeWithin(1_000, 10 ** 14)
    expect(message).toMatch(/^tier 1: \d+\.\d{3} billion int8 multiply-adds a second$/)
    await network.orchestrator.services.dispatcher.caughtUp()
    expect(profileOf(worker)).toMatchObject({ tier: 1, operationsPerSecond, memoryBytes: 12_345 })
    expect(factsOf(worker)?.measured).toMatchObject({
      chain: 'product',
      tier: 1,
      reason: 'arrival',
      stableBytes: 12_345,
    })
    const listed = await (await network.request('/v1/workers')).json()
    expect(listed).toMatchObject({
      workers: [{ workerId: worker.workerId, measured: factsOf(worker)?.measured }],
    })
    await worker.disconnect()
  })

  test('that runs lite programs alone computes the lite chain', async () => {
    const worker = await admit(network, {}, { kinds: ['lite', 'superLite'] })
    expect(factsOf(worker)?.measured?.chain).toBe('lite')
    await worker.disconnect()
  })

  test('is measured again after a restart', async () => {
    const store = await openMemoryStore()
    const identity = await generateIdentity({ extractable: false })
    for (let start = 0; start < 2; start++) {
      const own = await startTestNetwork({ admission: small, store })
      const worker = await connectRawWorker(own.serving.url, identity)
      await worker.arrive()
      expect((await answerBenchmarks(worker)).type).toBe('admitted')
      await own.stop()
    }
  })
})

test('a worker as it is on any host is measured and joins', async () => {
  const own = await open()
  await own.startWorker()
  const { dispatcher } = own.orchestrator.services
  while (dispatcher.state().workers.size === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const [joined] = dispatcher.state().workers.values()
  expect(joined?.profile.tier).toBe(1)
})

describe('who is refused', () => {
  test('below the minimum: with the value and the bound', async () => {
    const strict = await open({
      tiers: [
        { operationsPerSecondMin: 10 ** 14, memoryBytesMin: 0 },
        { ...second, operationsPerSecondMin: 10 ** 14 },
        { ...third, operationsPerSecondMin: 10 ** 14 },
      ],
    })
    const worker = await arrive(strict)
    const told = await answerBenchmarks(worker)
    expect(told).toMatchObject({ type: 'refusal', body: { code: 'belowMinimum' } })
    expect(told.body.message).toMatch(/^measured \d+ operations a second, the least is 100000000000000$/)
    expect(await worker.closed).toEqual({ code: 4412, reason: 'belowMinimum' })
    expect(profileOf(worker, strict)).toBeUndefined()
  })

  const wrong: readonly (readonly [string, Parameters<typeof answerBenchmarks>[1], RegExp])[] = [
    [
      'a root of something else',
      { root: (body) => ({ ...body, root: 'ab'.repeat(32) as never }) },
      /do not hold: row/,
    ],
    [
      'a state that was not computed',
      {
        opening: (body) => ({
          ...body,
          opening: body.opening.map((byte, at) => (at === 40 ? byte ^ 1 : byte)),
        }),
      },
      /do not hold/,
    ],
    [
      'openings in another order',
      { opening: (body) => ({ ...body, index: body.index ^ 1 }) },
      /came where cell/,
    ],
    [
      'an opening that is none',
      { opening: (body) => ({ ...body, opening: new Uint8Array(3) }) },
      /is malformed/,
    ],
    [
      'an opening cut short at the last',
      { opening: (body, place) => (place === 7 ? { ...body, opening: body.opening.subarray(9) } : body) },
      /is malformed/,
    ],
  ]
  test.each(wrong)('%s, and is kept out for a while', async (_, answering, reason) => {
    const worker = await arrive()
    const told = await answerBenchmarks(worker, answering)
    expect(told).toMatchObject({ type: 'refusal', body: { code: 'benchmarkFailed' } })
    expect(told.body.message).toMatch(reason)
    expect((await worker.closed).code).toBe(4422)
    const again = await connectRawWorker(network.serving.url, worker.identity)
    await again.arrive()
    expect((await refusal(again)).message).toMatch(/^your last benchmark failed; come back in \d+ ms$/)
  })

  test('who says nothing, and who opens nothing', async () => {
    const hasty = await open({
      slackMs: 100,
      cpuFirstOperations: 2 ** 20,
      tiers: [{ operationsPerSecondMin: 10 ** 9, memoryBytesMin: 0 }, second, third],
    })
    expect((await refusal(await arrive(hasty))).message).toMatch(/^no root of \d+ operations within 1\d\d ms/)
    const worker = await arrive(hasty)
    const deaf = answerBenchmarks({
      ...worker,
      send: (...frames) => frames.every((frame) => frame[0] === 24) && worker.send(...frames),
    })
    expect((await deaf).body).toMatchObject({ code: 'benchmarkFailed' })
  })

  test('who talks of work before it has joined, or says its profile twice', async () => {
    for (const frame of [
      encodeFrame('ack', { deliveryId: '0d'.repeat(16) as never }),
      encodeFrame('profileV2', rawProfile),
      encodeFrame('commits', { commits: [] }),
    ]) {
      const worker = await arrive()
      worker.send(frame)
      expect((await refusal(worker)).code).toBe('unexpectedFrame')
    }
    const worker = await connectRawWorker(network.serving.url)
    await worker.next('challenge')
    worker.send(
      encodeFrame('benchmarkRoot', {
        benchmarkId: 'ab'.repeat(16),
        root: 'ab'.repeat(32) as never,
        stableBytes: 0,
      }),
    )
    expect((await refusal(worker)).code).toBe('unexpectedFrame')
  })

  test('who sends frames of benchmarks that nobody asked for, once there are too many', async () => {
    const worker = await arrive()
    const stray = { benchmarkId: 'ab'.repeat(16), root: 'ab'.repeat(32) as never, stableBytes: 0 }
    const opening = { benchmarkId: 'ab'.repeat(16), index: 0, opening: new Uint8Array(1024) }
    for (let count = 0; count < 32; count++) {
      worker.send(encodeFrame('benchmarkRoot', stray), encodeFrame('benchmarkOpening', opening))
      await echo(worker)
    }
    worker.send(encodeFrame('benchmarkRoot', stray))
    expect((await refusal(worker)).code).toBe('unexpectedFrame')
  })
})

describe('in the middle', () => {
  test('others wait in line, hear their place, and go on when one leaves', async () => {
    const narrow = await open({ underwayMax: 1, roundMax: 1 })
    const first = await arrive(narrow)
    await first.next('benchmark')
    const waiting = await arrive(narrow)
    expect(await waiting.next('idle')).toEqual({
      constraint: 'waitsForBenchmark',
      message: 'you are next to be measured',
    })
    await first.disconnect()
    expect((await answerBenchmarks(waiting)).type).toBe('admitted')
    expect(profileOf(first, narrow)).toBeUndefined()
  })

  test('one that is paused is measured when it goes on', async () => {
    const worker = await arrive()
    await worker.next('benchmark')
    worker.send(encodeFrame('presence', { state: 'paused' }))
    await echo(worker)
    worker.send(encodeFrame('presence', { state: 'available' }))
    expect((await answerBenchmarks(worker)).type).toBe('admitted')
    await worker.disconnect()
  })

  test('the newer of two connections is the one that is measured', async () => {
    const older = await arrive()
    await older.next('benchmark')
    const newer = await connectRawWorker(network.serving.url, older.identity)
    await newer.arrive()
    expect((await refusal(older)).code).toBe('identityInUse')
    expect((await answerBenchmarks(newer)).type).toBe('admitted')
    await newer.disconnect()
  })
})

describe('measured again', () => {
  test('after drift, a quarantine, or another profile; meanwhile it gets nothing new', async () => {
    const worker = await admit()
    const { gateway, dispatcher } = network.orchestrator.services
    const isMeasured = () => dispatcher.state().workers.get(worker.workerId)?.measuring
    for (const reason of ['drift', 'quarantine'] as const) {
      gateway.perform([{ kind: 'benchmark', workerId: worker.workerId, reason }])
      const asked = await worker.nextOf('benchmark')
      expect(isMeasured()).toBe(true)
      worker.putBack(asked)
      expect((await answerBenchmarks(worker)).type).toBe('admitted')
      await dispatcher.caughtUp()
      expect(isMeasured()).toBe(false)
      expect(factsOf(worker)?.measured?.reason).toBe(reason)
    }
    worker.send(encodeFrame('profileV2', { ...rawProfile, slots: 2, region: 'eu' }))
    expect((await answerBenchmarks(worker)).type).toBe('admitted')
    await dispatcher.caughtUp()
    expect(profileOf(worker)).toMatchObject({ slots: 2, region: 'eu' })
    await worker.disconnect()
  })

  test('a late root of a try that is over counts for nothing', async () => {
    const hasty = await open({ slackMs: 100 })
    const worker = await admit(hasty)
    hasty.orchestrator.services.gateway.perform([
      { kind: 'benchmark', workerId: worker.workerId, reason: 'drift' },
    ])
    const first = await worker.next('benchmark')
    const again = await worker.nextOf('benchmark')
    expect(again.body.benchmarkId).not.toBe(first.benchmarkId)
    const { chain } = await commit(first)
    worker.send(
      encodeFrame('benchmarkRoot', { benchmarkId: first.benchmarkId, root: chain.root, stableBytes: 0 }),
    )
    worker.putBack(again)
    expect((await answerBenchmarks(worker)).type).toBe('admitted')
  })

  test('all at the same moment, in a round', async () => {
    const rounds = await open({ meanIntervalMs: 1_000, roundMax: 3, gatherMs: 1_000 })
    const workers = [await admit(rounds), await admit(rounds), await admit(rounds)]
    const told = await Promise.all(workers.map((worker) => answerBenchmarks(worker)))
    expect(told.map(({ type }) => type)).toEqual(['admitted', 'admitted', 'admitted'])
    for (const worker of workers) expect(factsOf(worker, rounds)?.measured?.reason).toBe('random')
  })
})

test('a worker that gets nothing hears why, once', async () => {
  const worker = await admit()
  expect(await worker.next('idle')).toEqual({ constraint: 'noTaskWaits', message: 'no task is waiting' })
  await worker.disconnect()
})

test('nothing above was the orchestrator giving up', () => {
  for (const each of networks) expect(each.fatal).toEqual([])
})
