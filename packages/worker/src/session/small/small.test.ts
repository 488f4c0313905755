import { describe, expect, test } from 'bun:test'
import {
  type BatchDelivery,
  batchFrameBytesMax,
  commitTo,
  type Deliveries,
  deliveryStatement,
  encodeFrame,
  encodeHex,
  inlinePayloadBytesMax,
  merkleRoot,
  type ProgramId,
  type RejectReason,
  type Results,
  resultStatement,
  type Settlement,
  signedBatch,
  statementLeaf,
} from '@shardy/protocol'
import { encodeProgram, matmulProgram, programId } from '@shardy/tensor'
import {
  batchOf,
  deliveryOf,
  digestOf,
  heartbeatMs,
  input,
  offsetMs,
  orchestratorKey,
  output,
  program,
  rules,
  Scenario,
  salt,
  sha256,
  signature,
  startMs,
} from '../../../test/scenario.ts'
import type { Outcome } from '../input.ts'
import { countOpen } from './work.ts'

const idOf = (number: number) => deliveryOf(number).deliveryId
const numbers = (count: number, from = 1): number[] =>
  Array.from({ length: count }, (_, index) => from + index)
const offer = { ...rules.offer, prefetch: 1000 }
const begin = (changes = {}): Scenario => new Scenario({ offer, ...changes }).admit()
const id: ProgramId = programId(program, sha256)
const outputDigest = digestOf(output)

function resultsOf(scenario: Scenario): Results[] {
  return scenario.sent.flatMap((frame) => (frame.type === 'results' ? [frame.body] : []))
}

/** The leaves that the worker's signature must cover. */
function leavesOf(batch: readonly BatchDelivery[], digest = outputDigest): Uint8Array[] {
  return batch.map((delivery) => {
    const answered = { outputDigest: digest, traceRoot: undefined }
    const asked = { ...delivery, payloadDigest: digestOf(input) }
    return statementLeaf(resultStatement(asked, id, rules.workerId, answered), sha256)
  })
}

function isClean(scenario: Scenario): void {
  const { small } = scenario.state
  expect(small.held.size).toBe(0)
  expect(Object.values(small.counts).every((count) => count === 0)).toBe(true)
  expect(small.operations).toBe(0)
}

describe('a batch', () => {
  const { deliveries } = batchOf([1, 2, 3])

  test('is verified under one signature over all its statements', () => {
    const scenario = begin().frame('deliveries', batchOf([1, 2, 3]))
    const leaves = deliveries.map((one) => {
      const statement = deliveryStatement({ ...one, payloadDigest: digestOf(input) }, id, rules.workerId)
      return statementLeaf(statement, sha256)
    })
    const payload = signedBatch(merkleRoot(leaves, sha256), 3)
    expect(scenario.effects).toEqual([
      { kind: 'verifyBatch', run: 1, publicKey: orchestratorKey, payload, signature },
    ])
  })

  test('is executed, and answered under one signature', () => {
    const scenario = begin().deliverMany([1, 2, 3])
    expect(scenario.effects).toEqual([
      {
        kind: 'executeBatch',
        run: 2,
        batch: deliveries.map(() => ({ work: { kind: 'program', program }, input, proof: undefined })),
      },
    ])
    scenario.executeMany(3)
    const leaves = leavesOf(deliveries)
    const payload = signedBatch(merkleRoot(leaves, sha256), 3)
    expect(scenario.effects).toEqual([{ kind: 'signResult', run: 3, payload }])
    scenario.signMany()
    const results = deliveries.map(({ deliveryId }, index) => ({
      deliveryId,
      outputDigest,
      output,
      salt: undefined,
      traceRoot: undefined,
      leaf: encodeHex(leaves[index] as Uint8Array) as never,
      proof: undefined,
    }))
    expect(scenario.sent).toEqual([{ type: 'results', body: { results, signature } }])
    expect(numbers(3).map((number) => scenario.smallPhase(number))).toEqual([
      'answered',
      'answered',
      'answered',
    ])
  })

  test('whose signature does not hold is handed back, each by itself, and nothing is computed', () => {
    const scenario = begin().frame('deliveries', batchOf([1, 2]))
    scenario.feed({ kind: 'batchVerified', run: 1, holds: false })
    expect(scenario.done).toEqual(['reject', 'reject'])
    expect(scenario.sent).toMatchObject([
      { body: { deliveryId: idOf(1), reason: 'badAttestation' } },
      { body: { deliveryId: idOf(2), reason: 'badAttestation' } },
    ])
    isClean(scenario)
  })

  test('without returnOutput gives digests alone', () => {
    const scenario = begin().deliverMany([1], { returnOutput: false }).executeMany(1).signMany()
    expect(resultsOf(scenario)).toMatchObject([{ results: [{ outputDigest, output: undefined }] }])
  })

  test('that names a delivery twice, or one that is held, ends the connection', () => {
    const lost = { kind: 'duplicateDelivery', deliveryId: idOf(1) }
    expect(begin().frame('deliveries', batchOf([1, 2, 1])).lostReason).toEqual(lost)
    expect(
      begin()
        .deliverMany([1])
        .frame('deliveries', batchOf([2, 1])).lostReason,
    ).toEqual(lost)
    expect(
      begin()
        .deliver(1)
        .frame('deliveries', batchOf([1])).lostReason,
    ).toEqual(lost)
    expect(begin().deliverMany([1]).frame('delivery', deliveryOf(1)).lostReason).toEqual(lost)
  })
})

describe('what is handed back does not keep the others', () => {
  const large = matmulProgram({ m: 128, k: 1, n: 128 })
  const programOf = (bytes: Uint8Array, kind: 'program' | 'lite' = 'program'): Partial<Deliveries> => ({
    programs: [...batchOf([1]).programs, { kind, program: bytes }],
  })
  type Case = {
    desc: string
    reason: RejectReason
    rules?: Partial<typeof rules>
    delivery?: Partial<BatchDelivery>
    body?: Partial<Deliveries>
  }
  const cases: Case[] = [
    { desc: 'input of another length', reason: 'unsupported', delivery: { payload: input.slice(1) } },
    {
      desc: 'no program',
      reason: 'unsupported',
      delivery: { program: 1 },
      body: programOf(Uint8Array.of(1, 2)),
    },
    {
      desc: 'a kind that is not offered',
      reason: 'unsupported',
      delivery: { program: 1 },
      body: programOf(encodeProgram(program), 'lite'),
    },
    {
      desc: `an output over ${inlinePayloadBytesMax} bytes`,
      reason: 'tooLarge',
      delivery: { program: 1 },
      body: programOf(encodeProgram(large)),
    },
    {
      desc: 'a deadline that has passed',
      reason: 'outOfTime',
      delivery: { deadlineMs: (startMs + offsetMs) as never },
    },
    {
      desc: 'too much for its deadline',
      reason: 'outOfTime',
      rules: { operationsPerSecond: 1_000 },
      delivery: { deadlineMs: (startMs + offsetMs + 23) as never },
    },
  ]
  test.each(cases)('$desc: $reason', ({ reason, rules: changed, delivery, body }) => {
    const batch = batchOf([1, 2])
    const [first, second] = batch.deliveries as [BatchDelivery, BatchDelivery]
    const scenario = begin(changed)
    scenario.frame('deliveries', { ...batch, ...body, deliveries: [{ ...first, ...delivery }, second] })
    expect(scenario.sent).toMatchObject([{ type: 'reject', body: { deliveryId: idOf(1), reason } }])
    expect(scenario.smallPhase(1)).toBeUndefined()
    expect(scenario.smallPhase(2)).toBe('verifying')
    expect(scenario.state.totals.rejected).toBe(1)
  })

  test('more than there is room for: busy, the last ones', () => {
    const scenario = begin({ slots: 1, offer: { ...offer, prefetch: 2 } }).deliverMany(numbers(5))
    expect(countOpen(scenario.state.small)).toBe(3)
    expect(scenario.state.totals.rejected).toBe(2)
    expect(scenario.state.history[0]).toMatchObject({ deliveryId: idOf(5), ending: { reason: 'busy' } })
    expect(scenario.deliver(9).sent).toMatchObject([{ body: { reason: 'busy' } }])
  })

  test('all of them while paused', () => {
    const scenario = begin()
      .feed({ kind: 'pause' })
      .frame('deliveries', batchOf([1, 2]))
    expect(scenario.done).toEqual(['reject', 'reject'])
    expect(scenario.sent).toMatchObject([{ body: { reason: 'paused' } }, { body: { reason: 'paused' } }])
  })
})

describe('executed as far as a turn goes', () => {
  test('the rest waits again in its order, before what came later', () => {
    const scenario = begin().deliverMany(numbers(4)).deliverMany([5])
    scenario.executeMany(1)
    expect(scenario.done).toEqual(['signResult', 'executeBatch'])
    scenario.signMany().executeMany(4).signMany()
    const [{ results = [] } = {}] = resultsOf(scenario)
    expect(results.map(({ deliveryId }) => deliveryId)).toEqual([2, 3, 4, 5].map(idOf))
  })

  test('answers that do not fit one frame go in several, each signed by itself', () => {
    const wide = matmulProgram({ m: 64, k: 1, n: 64 })
    const payload = new Uint8Array(128)
    const programs = [{ kind: 'program' as const, program: encodeProgram(wide) }]
    const batch = batchOf(numbers(200), { payload })
    const scenario = begin().frame('deliveries', { ...batch, programs })
    scenario.feed({ kind: 'batchVerified', run: scenario.state.runs, holds: true })
    const counts: number[] = []
    while (scenario.state.executing !== undefined) {
      const run = scenario.state.executing
      const { length } = scenario.state.small.runs.get(run) ?? []
      scenario.executeMany(length, new Uint8Array(16_384)).signMany()
      for (const { results } of resultsOf(scenario)) counts.push(results.length)
    }
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(200)
    expect(counts.length).toBe(4)
  })

  test('one that fails is handed back, the others are answered', () => {
    const scenario = begin().deliverMany([1, 2, 3])
    const right = { ok: true, output, outputDigest, proof: undefined } as const
    const outcomes: Outcome[] = [
      { ok: false, reason: 'deviceLost', text: 'unplugged' },
      right,
      { ...right, output: output.slice(1) },
    ]
    scenario.feed({ kind: 'batchExecuted', run: 2, outcomes, salts: new Uint8Array(96) })
    expect(scenario.sent).toMatchObject([
      { body: { deliveryId: idOf(1), reason: 'deviceLost', message: 'unplugged' } },
      { body: { deliveryId: idOf(3), reason: 'executionFailed' } },
    ])
    expect(resultsOf(scenario.signMany())).toMatchObject([{ results: [{ deliveryId: idOf(2) }] }])
  })

  test('answers that cannot be signed are handed back', () => {
    const scenario = begin().deliverMany([1, 2]).executeMany(2)
    scenario.feed({ kind: 'resultUnsigned', run: 3, text: 'key gone' })
    expect(scenario.done).toEqual(['reject', 'reject'])
    isClean(scenario)
  })

  test('small and large ones take turns', () => {
    const scenario = begin().deliverMany([1, 2]).deliver(8).verify(3).deliver(9).verify(4)
    scenario.executeMany(1)
    expect(scenario.phase(8)).toBe('executing')
    scenario.execute(3)
    expect(scenario.smallPhase(2)).toBe('executing')
    scenario.executeMany(1)
    expect(scenario.phase(9)).toBe('executing')
  })
})

describe('commit first', () => {
  const committed = (): Scenario => begin().deliverMany([1, 2, 3], { commitFirst: true }).executeMany(3)

  test('nothing is signed or shown before commitments are closed', () => {
    const scenario = committed()
    const { workerId } = rules
    const commits = numbers(3).map((number) => {
      const deliveryId = idOf(number)
      const content = { workerId, deliveryId, outputDigest, traceRoot: undefined, salt }
      return { deliveryId, commitment: commitTo(content, sha256) }
    })
    expect(scenario.done).toEqual(['commits'])
    expect(scenario.sent).toEqual([{ type: 'commits', body: { commits } }])
  })

  test('what is closed is answered with its salt, once', () => {
    const scenario = committed().frame('closings', { deliveryIds: [idOf(3), idOf(1), idOf(3)] })
    expect(scenario.done).toEqual(['signResult'])
    expect(resultsOf(scenario.signMany())).toMatchObject([
      {
        results: [
          { deliveryId: idOf(3), salt },
          { deliveryId: idOf(1), salt },
        ],
      },
    ])
    expect(scenario.frame('closings', { deliveryIds: [idOf(1)] }).done).toEqual([])
    expect(scenario.smallPhase(2)).toBe('committed')
  })

  test('closing before we committed is out of place', () => {
    const scenario = begin()
      .deliverMany([1], { commitFirst: true })
      .frame('closings', { deliveryIds: [idOf(1)] })
    expect(scenario.lostReason).toEqual({ kind: 'unexpectedFrame', frame: 'closings', during: 'executing' })
    isClean(scenario)
  })

  test('a pause and a deadline leave commitments alone', () => {
    const scenario = committed().feed({ kind: 'pause' })
    expect(scenario.done).toEqual(['presence'])
    for (let sequence = 1; sequence <= 70; sequence++) {
      scenario.wait(heartbeatMs).frame('heartbeat', { sequence, inFlight: 0 })
    }
    expect(scenario.frame('closings', { deliveryIds: [idOf(1)] }).done).toEqual(['signResult'])
  })
})

describe('ends', () => {
  const settle = (count: number, outcome: Settlement['outcome'] = 'accepted') => ({
    settlements: numbers(count).map((number) => ({
      deliveryId: idOf(number),
      outcome,
      rewardMicroCredit: 7n as Settlement['rewardMicroCredit'],
    })),
  })
  const answered = (): Scenario => begin().deliverMany(numbers(3)).executeMany(3).signMany()

  test('verdicts are counted once, however often they are said', () => {
    const scenario = answered().frame('settlements', settle(3)).frame('settlements', settle(3))
    expect(scenario.state.totals).toMatchObject({ accepted: 3, unpaid: 0, rewardMicroCredit: 21n })
    expect(scenario.state.history.map(({ deliveryId }) => deliveryId)).toEqual([3, 2, 1].map(idOf))
    expect(scenario.state.history[0]?.summary).toMatch(/^matrix product /)
    isClean(scenario)
  })

  test('a wrong answer is not paid', () => {
    const scenario = answered().frame('settlements', settle(3, 'wrong'))
    expect(scenario.state.totals).toMatchObject({ accepted: 0, unpaid: 3, rewardMicroCredit: 0n })
  })

  test('pausing hands back what is to be computed, and what comes of it is thrown away', () => {
    const scenario = begin()
      .deliverMany([1, 2])
      .frame('deliveries', batchOf([3]))
      .feed({ kind: 'pause' })
    expect(scenario.done).toEqual(['presence', 'abort', 'reject', 'reject', 'reject'])
    isClean(scenario)
    expect(scenario.executeMany(2).done).toEqual([])
    expect(scenario.feed({ kind: 'batchVerified', run: 3, holds: true }).done).toEqual([])
    expect(scenario.state.executing).toBeUndefined()
  })

  test('an answer that is being signed is not handed back as well', () => {
    const scenario = begin().deliverMany([1, 2]).executeMany(1).feed({ kind: 'pause' })
    expect(scenario.sent).toMatchObject([
      { type: 'presence' },
      { type: 'reject', body: { deliveryId: idOf(2) } },
    ])
    expect(resultsOf(scenario.signMany())).toMatchObject([{ results: [{ deliveryId: idOf(1) }] }])
  })

  test('one that is cancelled is not computed; under a signature it goes along', () => {
    const cancel = { deliveryId: idOf(2), reason: 'taskDecided' as const }
    const early = begin().deliverMany([1]).deliverMany([2, 3]).frame('cancel', cancel)
    expect(early.done).toEqual([])
    expect(early.executeMany(1).effects.at(-1)).toMatchObject({ kind: 'executeBatch', batch: [{ input }] })
    const late = begin().deliverMany([1, 2]).executeMany(2).frame('cancel', cancel).signMany()
    expect(resultsOf(late)).toMatchObject([{ results: [{ deliveryId: idOf(1) }, { deliveryId: idOf(2) }] }])
    expect(late.state.totals.cancelled).toBe(1)
    expect(late.smallPhase(2)).toBeUndefined()
  })

  test('what is past its deadline is handed back, the others stay', () => {
    const soon = (startMs + offsetMs + 500) as BatchDelivery['deadlineMs']
    const scenario = begin().deliverMany([1]).deliverMany([2], { deadlineMs: soon }).wait(499)
    expect(scenario.done).toEqual([])
    expect(scenario.wait(1).sent).toMatchObject([{ body: { deliveryId: idOf(2), reason: 'outOfTime' } }])
    expect(scenario.smallPhase(1)).toBe('executing')
  })

  test('with the connection all of it is gone, and late replies change nothing', () => {
    const scenario = begin()
      .deliverMany([1])
      .executeMany(1)
      .deliverMany([2])
      .deliverMany([3], { commitFirst: true })
    const runs = [...scenario.state.small.signing.keys()]
    scenario.feed({ kind: 'closed', connection: 1, code: 1006, text: '' })
    expect(scenario.effects.some(({ kind }) => kind === 'abort')).toBe(true)
    isClean(scenario)
    expect(scenario.state.history).toHaveLength(3)
    for (const run of runs) expect(scenario.feed({ kind: 'resultSigned', run, signature }).done).toEqual([])
    expect(scenario.executeMany(1).done).toEqual([])
    expect(scenario.state.executing).toBeUndefined()
  })
})

describe('proofs', () => {
  const asked = { kind: 'v2', verifierVersion: 2 } as const
  const made = { ...asked, proof: new Uint8Array(256).fill(3) }

  test('are asked of the executor for each that wants one, and go with the answers', () => {
    const scenario = begin().deliverMany([1, 2], { proof: asked })
    const wanted = [1, 2].map((number) => {
      const { taskId, seed } = deliveryOf(number)
      return { proof: { ...asked, taskId, seed } }
    })
    expect(scenario.effects).toMatchObject([{ kind: 'executeBatch', batch: wanted }])
    scenario.executeMany(2, output, made).signMany()
    expect(resultsOf(scenario)).toMatchObject([{ results: [{ proof: made }, { proof: made }] }])
  })

  test('of a kind that is not made here are handed back one by one', () => {
    const scenario = begin({ proofs: [] }).frame('deliveries', batchOf([1], { proof: asked }))
    expect(scenario.sent).toMatchObject([
      { type: 'reject', body: { deliveryId: idOf(1), reason: 'unsupported' } },
    ])
  })

  test('count for what fits a frame', () => {
    const count = 256
    const scenario = begin().deliverMany(numbers(count), { proof: asked })
    scenario.executeMany(count, output, made).signMany()
    const frames = resultsOf(scenario)
    expect(frames.flatMap(({ results }) => results)).toHaveLength(count)
    for (const frame of frames)
      expect(encodeFrame('results', frame).length).toBeLessThanOrEqual(batchFrameBytesMax)
  })
})
